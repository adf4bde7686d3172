package app.coflows;

/** What Python gives to Java. */
public interface Host {
    /** Takes what a call prints; 0 is the output, 1 the one for errors. */
    void print(long call, int stream, String text);
}
