package app.coflows;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** The console of user code. */
final class Printer extends OutputStream {
    private final Host host;
    private final int stream;

    private Printer(Host host, int stream) {
        this.host = host;
        this.stream = stream;
    }

    static void install(Host host) {
        System.setOut(new PrintStream(new Printer(host, 0), true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(new Printer(host, 1), true, StandardCharsets.UTF_8));
    }

    @Override
    public void write(int one) {
        write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] data, int start, int size) {
        host.print(Desk.call(), stream, new String(data, start, size, StandardCharsets.UTF_8));
    }
}
