package app.coflows;

/** How a call went; runtimes/jvm.py has the same order. */
enum Outcome {
    JSON, BYTES, FILE, STREAM, FAILED, MISFIT, NO_FORM, CANCELLED, END, NUMBERS
}
