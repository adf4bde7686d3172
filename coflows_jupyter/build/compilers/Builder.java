// The builder of the JVM: requests come as lines of JSON, and replies go out as such. It keeps the compiler warm, and
// ends when nobody has requests any more.

package app.coflows;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/** The program. */
public final class Builder {
    private static final PrintStream OUT = new PrintStream(new BufferedOutputStream(System.out), false, StandardCharsets.UTF_8);

    // Of what is said for sure to be a mistake or a risk; the rest is taste.
    private static final String WARNINGS = "-Xlint:deprecation,removal,unchecked,divzero,empty,fallthrough,finally,static,try";

    private Builder() {}

    /** Answers requests until there are none. */
    public static void main(String[] arguments) throws IOException {
        System.setOut(System.err); // what a compiler prints is no reply
        var threads = Executors.newFixedThreadPool(2);
        var lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            var request = (Map<?, ?>) Reader.read(line.getBytes(StandardCharsets.UTF_8));
            threads.execute(() -> reply(request));
        }
        System.exit(0);
    }

    private static void reply(Map<?, ?> request) {
        List<Map<String, Object>> findings;
        boolean done;
        try {
            findings = new ArrayList<>();
            done = compile(request, findings);
        } catch (Throwable error) { // the process must go on
            findings = List.of(finding("", 0, 0, "error", "compiler", String.valueOf(error)));
            done = false;
        }
        var reply = Json.of(Map.of("id", request.get("id"), "ok", done, "findings", findings));
        synchronized (OUT) {
            OUT.writeBytes(reply);
            OUT.write('\n');
            OUT.flush();
        }
    }

    private static boolean compile(Map<?, ?> request, List<Map<String, Object>> findings) throws IOException {
        var output = Path.of((String) request.get("output"));
        Files.createDirectories(output);
        var sources = new ArrayList<Source>();
        for (var source : (List<?>) request.get("sources")) {
            var parts = (Map<?, ?>) source;
            sources.add(new Source((String) parts.get("path"), (String) parts.get("text")));
        }
        var references = new ArrayList<String>();
        ((List<?>) request.get("references")).forEach(reference -> references.add((String) reference));
        var found = new DiagnosticCollector<JavaFileObject>();
        var options = List.of(WARNINGS, "-d", output.toString(), "-parameters", "-g", "-proc:none", "-encoding", "UTF-8",
            "-cp", String.join(java.io.File.pathSeparator, references));
        var compiler = ToolProvider.getSystemJavaCompiler();
        boolean done;
        try (var files = compiler.getStandardFileManager(found, Locale.ROOT, StandardCharsets.UTF_8)) {
            done = compiler.getTask(null, files, found, options, null, sources).call();
        }
        for (var one : found.getDiagnostics()) {
            if (one.getKind() != Diagnostic.Kind.NOTE) {
                findings.add(finding(one));
            }
        }
        return done;
    }

    private static Map<String, Object> finding(Diagnostic<? extends JavaFileObject> one) {
        var file = one.getSource() == null ? "" : Path.of(one.getSource().toUri()).toString();
        var severity = one.getKind() == Diagnostic.Kind.ERROR ? "error" : "warning";
        return finding(file, Math.max(one.getLineNumber(), 0), Math.max(one.getColumnNumber(), 0), severity,
            one.getCode(), one.getMessage(Locale.ROOT));
    }

    private static Map<String, Object> finding(
            String file, long line, long column, String severity, String code, String message) {
        var finding = new LinkedHashMap<String, Object>();
        finding.put("file", file);
        finding.put("line", line);
        finding.put("column", column);
        finding.put("severity", severity);
        finding.put("code", code);
        finding.put("message", message);
        return finding;
    }

    /** A source as the Workflow has it, which may differ from what is on disk by now. */
    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String path, String text) {
            super(Path.of(path).toUri(), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignored) {
            return text;
        }
    }
}
