pub(crate) fn negotiate(_: &crate::arguments::NegotiateArguments) -> Result<(), crate::failure::Failure> { Ok(()) }
