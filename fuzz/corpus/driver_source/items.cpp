typedef struct { KSALLOCATOR_FRAMING_EX Framing; KS_FRAMING_ITEM More[2]; } THREE;
DEFINE_GUID(MINE, 0x1, 0x2, 0x3, 4, 5, 6, 7, 8, 9, 10, 11);
const THREE Three = { { 3, 0, 1, 1, 0, 0, { { { STATIC_KSMEMORY_TYPE_USER } } } }, { { MINE }, { { 1, 2, 3, { 4 } } } } };
KSALLOCATOR_FRAMING Table[2] = { { 2, 0, 1, 2, 3 }, { { 2 }, 1 } };
