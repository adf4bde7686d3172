package app.coflows;

/** An argument that does not fit its parameter. */
final class Misfit extends RuntimeException {
    private static final long serialVersionUID = 1L;

    final String parameter;

    Misfit(String parameter, String message) {
        super(message, null, false, false);
        this.parameter = parameter;
    }
}
