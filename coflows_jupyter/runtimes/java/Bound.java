package app.coflows;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.Type;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** One function of the user's, ready to be called. */
final class Bound {
    private final MethodHandle handle;
    private final Type[] types;
    private final String[] names;
    private final boolean variadic;

    Bound(Method method, Object instance) throws IllegalAccessException {
        method.setAccessible(true);
        var found = MethodHandles.lookup().unreflect(method);
        handle = (Modifier.isStatic(method.getModifiers()) ? found : found.bindTo(instance))
            .asFixedArity().asSpreader(Object[].class, method.getParameterCount());
        types = method.getGenericParameterTypes();
        names = List.of(method.getParameters()).stream().map(Parameter::getName).toArray(String[]::new);
        variadic = method.isVarArgs();
    }

    /** Calls it with a list of arguments; those that are left out at the end are nothing. */
    Object call(List<?> given) throws Throwable {
        var values = new Object[types.length];
        for (var place = 0; place < values.length; place++) {
            values[place] = variadic && place == values.length - 1 ? rest(given, place)
                : one(place < given.size() ? given.get(place) : null, types[place], names[place], place < given.size());
        }
        return settled(handle.invoke(values));
    }

    private Object rest(List<?> given, int from) {
        var type = Surface.item(types[from]);
        var size = Math.max(given.size() - from, 0);
        var array = Array.newInstance(Values.raw(type), size);
        for (var place = 0; place < size; place++) {
            Array.set(array, place, one(given.get(from + place), type, names[from] + "[" + place + "]", true));
        }
        return array;
    }

    private static Object one(Object value, Type type, String name, boolean given) {
        if (!given && Values.raw(type) == Optional.class) {
            return Optional.empty();
        }
        try {
            return Values.make(value, type);
        } catch (RuntimeException error) {
            throw new Misfit(name, "can't be made " + Surface.spell(type) + ": " + error.getMessage());
        }
    }

    private static Object settled(Object value) throws Throwable {
        var found = value;
        while (found instanceof Future<?> future) {
            try {
                found = future.get();
            } catch (InterruptedException error) {
                future.cancel(true);
                throw error;
            } catch (ExecutionException error) {
                throw error.getCause();
            }
        }
        return found;
    }
}
