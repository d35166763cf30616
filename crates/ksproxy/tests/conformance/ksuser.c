/* A ksuser.dll for the suite: it records what it is asked to create, and creates an event in its place. */
#define _KSDDK_ /* it defines what ks.h declares */
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <ks.h>

static LONG count;
static HANDLE last_connection;
static KSALLOCATOR_FRAMING last_framing;
static int refuses;

/* As the documentation says: a Win32 error code. What a failure leaves in *allocator is not said; it is the worst. */
__declspec(dllexport) DWORD WINAPI KsCreateAllocator(HANDLE connection, PKSALLOCATOR_FRAMING framing, PHANDLE allocator)
{
    ++count;
    last_connection = connection;
    last_framing = *framing;
    *allocator = INVALID_HANDLE_VALUE;
    if (refuses) {
        return ERROR_INVALID_PARAMETER;
    }
    *allocator = CreateEventA(NULL, TRUE, FALSE, NULL);
    return *allocator == NULL ? GetLastError() : ERROR_SUCCESS;
}

/* How many requests there were, and the last one. */
__declspec(dllexport) int WINAPI ConformanceRecorded(HANDLE *connection, KSALLOCATOR_FRAMING *framing)
{
    *connection = last_connection;
    *framing = last_framing;
    return count;
}

/* Whether KsCreateAllocator fails from now on. */
__declspec(dllexport) void WINAPI ConformanceRefuse(int refuse)
{
    refuses = refuse;
}
