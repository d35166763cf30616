pub(crate) fn inspect(_: &crate::arguments::InspectArguments) -> Result<(), crate::failure::Failure> { Ok(()) }
