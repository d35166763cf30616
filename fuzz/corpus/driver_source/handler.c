typedef struct _EXT { ULONG a; UCHAR b[3]; struct { ULONGLONG c; } d; } EXT, *PEXT;
enum { First = 1, Second, Third = Second << 2 };
NTSTATUS Get(PHW_STREAM_REQUEST_BLOCK Srb) {
    PKSALLOCATOR_FRAMING Framing = (PKSALLOCATOR_FRAMING) Srb->Info;
    Framing->RequirementsFlags = KSALLOCATOR_REQUIREMENTF_SYSTEM_MEMORY;
    Framing->PoolType = PagedPool;
    switch (Srb->Stream) {
    case 1: Framing->Frames = Third; Framing->FrameSize = sizeof(EXT); break;
    default: if (x) { Framing->Frames = 1; } else Framing->Frames = 2; Framing->FrameSize = 'A' ? 1 : 0;
    }
    Framing->FileAlignment = FILE_QUAD_ALIGNMENT; Framing->Reserved = 0;
    return 0;
}
