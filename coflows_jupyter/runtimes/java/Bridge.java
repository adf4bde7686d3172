// What a host calls: bytes in and bytes out, so that a call holds no object of the other side's.

package app.coflows;

import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.BaseStream;
import java.util.stream.Collectors;

/** The functions of Java that a host knows. */
public final class Bridge {
    private static final int BULK = 64; // numbers from which their bytes are quicker than their text
    private static final List<Bound> FUNCTIONS = new CopyOnWriteArrayList<>();
    private static final Map<Long, Thread> RUNNING = new ConcurrentHashMap<>();
    private static final Map<Long, Iterator<?>> STREAMS = new ConcurrentHashMap<>();
    private static final Map<Long, BaseStream<?, ?>> SOURCES = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static ClassLoader loader = Bridge.class.getClassLoader();

    private Bridge() {}

    /** Takes what the console prints from now on to the host. */
    public static void start(Host host) {
        Printer.install(host);
        Thread.setDefaultUncaughtExceptionHandler((thread, error) -> error.printStackTrace());
    }

    /** Takes memory that this thread shares with Python. */
    public static void share(ByteBuffer memory) {
        Desk.mine().share(memory);
    }

    /** Returns an answer that was too large for the shared memory. */
    public static byte[] fetch() {
        return Desk.mine().fetch();
    }

    /** Lets all that is loaded later use these: jars, and folders of compiled classes. */
    public static void provide(String[] paths) throws MalformedURLException {
        if (paths.length > 0) {
            loader = new URLClassLoader(urls(paths), loader);
        }
    }

    /** Returns a class of what was provided. */
    public static Class<?> find(String name) throws ClassNotFoundException {
        return Class.forName(name, true, loader);
    }

    private static URL[] urls(String[] paths) throws MalformedURLException {
        var urls = new URL[paths.length];
        for (var place = 0; place < paths.length; place++) {
            urls[place] = new File(paths[place]).toURI().toURL();
        }
        return urls;
    }

    /** Loads the classes of a folder, and describes the functions of the file that they were made of. */
    public static long load(String folder, String file) {
        return answer(0, () -> {
            var own = new URLClassLoader(urls(new String[] {folder}), loader);
            var classes = new ArrayList<Class<?>>();
            for (var name : names(Path.of(folder))) {
                classes.add(Class.forName(name, true, own));
            }
            var instances = new LinkedHashMap<Class<?>, Object>();
            var described = new ArrayList<Map<String, Object>>();
            for (Method method : Surface.functions(classes, file)) {
                var instance = Modifier.isStatic(method.getModifiers()) ? null
                    : instances.computeIfAbsent(method.getDeclaringClass(), Values::create);
                described.add(Surface.describe(method, FUNCTIONS.size()));
                FUNCTIONS.add(new Bound(method, instance));
            }
            return described;
        });
    }

    private static List<String> names(Path folder) throws IOException {
        try (var files = Files.walk(folder)) {
            return files.map(path -> folder.relativize(path).toString())
                .filter(name -> name.endsWith(".class") && name.indexOf('$') < 0)
                .map(name -> name.substring(0, name.length() - ".class".length()).replace(File.separatorChar, '.'))
                .sorted().collect(Collectors.toList());
        }
    }

    /** Calls a function with the JSON array that lies in this thread's memory. */
    public static long call(int function, long call, int size) {
        return answer(call, () -> FUNCTIONS.get(function).call((List<?>) Reader.read(Desk.mine().take(size), size)));
    }

    /** Calls a function with a JSON array that is too large for the memory. */
    public static long call(int function, long call, byte[] data) {
        return answer(call, () -> FUNCTIONS.get(function).call((List<?>) Reader.read(data)));
    }

    /** Gives the next value of a stream. */
    public static long next(long stream, long call) {
        var values = STREAMS.get(stream);
        return answer(call, () -> values.hasNext() ? new Next(values.next()) : Outcome.END);
    }

    /** Ends a stream, whether it was read to its end or not. */
    public static void close(long stream) {
        STREAMS.remove(stream);
        var source = SOURCES.remove(stream);
        if (source != null) {
            source.close();
        }
    }

    /** Asks a call to stop. */
    public static void cancel(long call) {
        synchronized (RUNNING) {
            var thread = RUNNING.remove(call);
            if (thread != null) {
                thread.interrupt();
            }
        }
    }

    private interface Work {
        Object run() throws Throwable;
    }

    /** A value of a stream, which is data whatever it is. */
    private record Next(Object value) {}

    private static long answer(long call, Work work) {
        Desk.enter(call);
        RUNNING.put(call, Thread.currentThread());
        try {
            return write(work.run());
        } catch (Throwable error) { // stack overflows and missing classes are the user's, too
            return !RUNNING.containsKey(call) && isInterruption(error)
                ? Desk.mine().put(Outcome.CANCELLED, new byte[0])
                : fail(error);
        } finally {
            synchronized (RUNNING) {
                RUNNING.remove(call);
                Thread.interrupted();
            }
            Desk.leave();
        }
    }

    private static boolean isInterruption(Throwable error) {
        for (var cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof InterruptedException || cause instanceof CancellationException
                    || cause instanceof java.nio.channels.ClosedByInterruptException) {
                return true;
            }
        }
        return false;
    }

    private static long write(Object value) {
        var desk = Desk.mine();
        if (value instanceof Outcome outcome) {
            return desk.put(outcome, new byte[0]);
        }
        if (value instanceof Next next) {
            return desk.put(Outcome.JSON, Json.of(next.value()));
        }
        if (value instanceof byte[] data) {
            return desk.put(Outcome.BYTES, data);
        }
        if (value instanceof double[] numbers && numbers.length >= BULK) {
            return desk.put(Outcome.NUMBERS, bytes(numbers));
        }
        if (value instanceof Path || value instanceof File) {
            return desk.put(Outcome.FILE, value.toString().getBytes(StandardCharsets.UTF_8));
        }
        if (value instanceof BaseStream<?, ?> || value instanceof Iterator<?>) {
            var number = NUMBERS.incrementAndGet();
            if (value instanceof BaseStream<?, ?> source) {
                SOURCES.put(number, source);
            }
            STREAMS.put(number, value instanceof Iterator<?> values ? values : ((BaseStream<?, ?>) value).iterator());
            return desk.put(Outcome.STREAM, Long.toString(number).getBytes(StandardCharsets.US_ASCII));
        }
        return desk.put(Outcome.JSON, Json.of(value));
    }

    private static byte[] bytes(double[] numbers) {
        var bytes = new byte[numbers.length * Double.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asDoubleBuffer().put(numbers);
        return bytes;
    }

    private static long fail(Throwable thrown) {
        var error = thrown;
        while ((error instanceof InvocationTargetException || error instanceof ExceptionInInitializerError)
                && error.getCause() != null) {
            error = error.getCause();
        }
        if (error instanceof Misfit misfit) {
            return Desk.mine().put(Outcome.MISFIT, Json.of(List.of(misfit.parameter, misfit.getMessage())));
        }
        if (error instanceof NoForm) {
            return Desk.mine().put(Outcome.NO_FORM, error.getMessage().getBytes(StandardCharsets.UTF_8));
        }
        var name = error.getClass().getName();
        var kind = name.startsWith("java.lang.") ? error.getClass().getSimpleName() : name;
        var line = error.getMessage() == null ? kind : kind + ": " + error.getMessage();
        return Desk.mine().put(Outcome.FAILED, Json.of(List.of(line, trace(error))));
    }

    /** Returns a stack trace without our own frames around the user's. */
    private static String trace(Throwable error) {
        var text = new StringWriter();
        error.printStackTrace(new PrintWriter(text));
        return text.toString().lines()
            .filter(line -> !line.contains("at app.coflows.") && !line.contains("at java.base/java.lang.invoke.")
                && !line.contains("at java.base/jdk.internal.") && !line.contains("at org.jpype."))
            .collect(Collectors.joining("\n"));
    }
}
