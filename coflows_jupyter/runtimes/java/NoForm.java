package app.coflows;

/** A result that has no JSON form. */
final class NoForm extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoForm(String message) {
        super(message, null, false, false);
    }
}
