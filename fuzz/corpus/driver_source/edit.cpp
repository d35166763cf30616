namespace N { class P : public B { static NTSTATUS Create(IN PKSPIN Pin, IN PIRP Irp); KSALLOCATOR_FRAMING_EX m_AllocatorFraming; }; }
DECLARE_SIMPLE_FRAMING_EX(Fr, STATICGUIDOF(KSMEMORY_TYPE_USER), 0x40 | 8, 3, 63, 188 * 312, (ULONG)-1);
NTSTATUS N::P::Create(IN PKSPIN Pin, IN PIRP Irp) {
    KsEdit(Pin, &Pin->Descriptor->AllocatorFraming, 'tag');
    PKSALLOCATOR_FRAMING_EX f = const_cast<PKSALLOCATOR_FRAMING_EX>(Pin->Descriptor->AllocatorFraming);
    f->FramingItem[0].Frames = 2; f->FramingItem[0].FramingRange.Range.MinFrameSize = static_cast<ULONG>(7);
    KSALLOCATOR_FRAMING_EX g = { 0 }; INITIALIZE_SIMPLE_FRAMING_EX(&g, KSMEMORY_TYPE_SYSTEM, 0, 2, 0, 1, 2); g.CountItems = 1;
}
