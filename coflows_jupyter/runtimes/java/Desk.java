package app.coflows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Where a thread of the host's and Java put down what they give each other. */
final class Desk {
    private static final ThreadLocal<Desk> MINE = ThreadLocal.withInitial(Desk::new);
    // Threads that user code starts print for the call that started them.
    private static final ThreadLocal<Long> CALL = new InheritableThreadLocal<>();

    private ByteBuffer memory = ByteBuffer.allocate(0);
    private byte[] scratch = new byte[0];
    private byte[] large = new byte[0];

    static Desk mine() {
        return MINE.get();
    }

    static long call() {
        var call = CALL.get();
        return call == null ? 0 : call;
    }

    static void enter(long call) {
        CALL.set(call);
    }

    static void leave() {
        CALL.remove();
    }

    /** Takes the memory that this thread shares with Python. */
    void share(ByteBuffer shared) {
        memory = shared.order(ByteOrder.nativeOrder());
        scratch = new byte[shared.capacity()];
    }

    /** Returns the first bytes that lie there, in an array that is as long as the whole. */
    byte[] take(int size) {
        memory.get(0, scratch, 0, size);
        return scratch;
    }

    /** Puts an answer down; one that is too large is fetched. */
    long put(Outcome outcome, byte[] data) {
        if (data.length <= memory.capacity()) {
            memory.put(0, data);
        } else {
            large = data;
        }
        return (long) outcome.ordinal() << 32 | data.length;
    }

    byte[] fetch() {
        var data = large;
        large = new byte[0];
        return data;
    }
}
