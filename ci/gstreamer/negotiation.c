/* How long GStreamer takes to negotiate a chain: fakesrc ! identity * N ! fakesink.
 *
 * Prints one line for each N: N, and in microseconds of processor time
 *   build    making the elements, putting them into a pipeline, linking them
 *   ready    NULL to READY
 *   preroll  READY to PAUSED until the first buffer has come to the sink: caps and allocation are then negotiated
 *            through every element, and the streaming thread is started
 *   query    one ALLOCATION query from the source's pad through the whole chain, asked on the streaming thread just
 *            before the first buffer
 * fakesrc gives buffers of 4096 bytes with caps "video/x-raw,format=GRAY8,width=64,height=64".
 *
 * See ci/gstreamer.sh.
 */
#include <gst/gst.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static gint64 query_ns = -1;

/* Time on a processor, so that other work on the machine does not count: of all threads, or of the calling one. */
static gint64 clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static gint64 now_ns(void) { return clock_ns(CLOCK_PROCESS_CPUTIME_ID); }

/* Asked where a source asks: on its own thread, before a buffer is pushed, so nothing downstream is blocked. */
static GstPadProbeReturn ask(GstPad *pad, GstPadProbeInfo *info, gpointer data) {
    GstCaps *caps = gst_pad_get_current_caps(pad);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);
    gint64 before = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    gst_pad_peer_query(pad, query);
    query_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - before;
    gst_query_unref(query);
    if (caps != NULL) {
        gst_caps_unref(caps);
    }
    (void)info;
    (void)data;
    return GST_PAD_PROBE_REMOVE;
}

static GstElement *make(const char *kind, GstElement *pipeline, GstElement *after) {
    GstElement *element = gst_element_factory_make(kind, NULL);
    if (element == NULL) {
        fprintf(stderr, "no element %s: install gstreamer1.0-plugins-base\n", kind);
        exit(3);
    }
    gst_bin_add(GST_BIN(pipeline), element);
    /* Checking caps at each link asks the whole chain so far, and negotiation asks it all again. */
    if (after != NULL && !gst_element_link_pads_full(after, "src", element, "sink", GST_PAD_LINK_CHECK_NOTHING)) {
        fprintf(stderr, "cannot link to %s\n", kind);
        exit(1);
    }
    return element;
}

static void must_reach(GstElement *pipeline, GstState state) {
    gst_element_set_state(pipeline, state);
    GstStateChangeReturn reached = gst_element_get_state(pipeline, NULL, NULL, 60 * GST_SECOND);
    if (reached == GST_STATE_CHANGE_FAILURE || reached == GST_STATE_CHANGE_ASYNC) {
        fprintf(stderr, "the pipeline did not get to %s\n", gst_element_state_get_name(state));
        exit(1);
    }
}

static void round_of(int count, gboolean with_query, double *build, double *ready, double *preroll) {
    gint64 at = now_ns();
    GstElement *pipeline = gst_pipeline_new(NULL);
    GstElement *last = make("fakesrc", pipeline, NULL);
    g_object_set(last, "num-buffers", 1, "sizetype", 2, "sizemax", 4096, "filltype", 1, NULL);
    GstPad *pad = gst_element_get_static_pad(last, "src");
    /* fakesrc has no caps of its own. */
    GstElement *filter = make("capsfilter", pipeline, last);
    GstCaps *caps = gst_caps_from_string("video/x-raw,format=GRAY8,width=64,height=64,framerate=30/1");
    g_object_set(filter, "caps", caps, NULL);
    gst_caps_unref(caps);
    last = filter;
    for (int place = 0; place < count; place++) {
        last = make("identity", pipeline, last);
        g_object_set(last, "silent", TRUE, NULL);
    }
    make("fakesink", pipeline, last);
    *build = (now_ns() - at) / 1000.0;

    at = now_ns();
    must_reach(pipeline, GST_STATE_READY);
    *ready = (now_ns() - at) / 1000.0;
    if (with_query) {
        gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, ask, NULL, NULL);
    }
    at = now_ns();
    must_reach(pipeline, GST_STATE_PAUSED);
    *preroll = (now_ns() - at) / 1000.0;
    gst_object_unref(pad);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}

int main(int argc, char **argv) {
    gst_init(NULL, NULL);
    if (argc < 2) {
        fprintf(stderr, "usage: negotiation ELEMENTS...\n");
        return 2;
    }
    for (int argument = 1; argument < argc; argument++) {
        int count = atoi(argv[argument]);
        double build, ready, preroll, unused[3];
        round_of(count, FALSE, &build, &ready, &preroll);
        query_ns = -1;
        round_of(count, TRUE, &unused[0], &unused[1], &unused[2]);
        if (query_ns < 0) {
            fprintf(stderr, "the query was not asked\n");
            return 1;
        }
        printf("%d %.1f %.1f %.1f %.1f\n", count, build, ready, preroll, query_ns / 1000.0);
    }
    return 0;
}
