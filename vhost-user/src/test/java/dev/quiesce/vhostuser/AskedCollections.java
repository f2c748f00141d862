package dev.quiesce.vhostuser;


import com.sun.management.GarbageCollectionNotificationInfo;
import com.sun.management.GarbageCollectorMXBean;
import com.sun.management.GcInfo;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import javax.management.ListenerNotFoundException;
import javax.management.Notification;
import javax.management.NotificationEmitter;
import javax.management.NotificationListener;
import javax.management.openmbean.CompositeData;

/**
 * The garbage collections that somebody asks for, from when this is made until it is closed. Those
 * that the JVM begins by itself, for whatever reason, do not count.
 */
final class AskedCollections implements NotificationListener, AutoCloseable {
    private static final String ASKED = "System.gc()";

    private final List<GarbageCollectorMXBean> collectors =
            ManagementFactory.getPlatformMXBeans(GarbageCollectorMXBean.class);
    private final Map<String, Long> before = new HashMap<>(); // By collector, the last one.
    private final Map<String, Long> heard = new ConcurrentHashMap<>(); // The same, as it is told.
    private final AtomicInteger asked = new AtomicInteger();

    AskedCollections() {
        for (GarbageCollectorMXBean each : collectors) {
            ((NotificationEmitter) each).addNotificationListener(this, null, null);
        }
        for (GarbageCollectorMXBean each : collectors) {
            before.put(each.getName(), last(each));
        }
    }

    /** How many there were. The JVM tells of them late, but in order. */
    int count() {
        for (GarbageCollectorMXBean each : collectors) {
            String name = each.getName();
            long last = last(each);
            Host.until(() -> last <= before.get(name) || heard.getOrDefault(name, 0L) >= last,
                    () -> "nothing heard");
        }
        return asked.get();
    }

    private static long last(GarbageCollectorMXBean collector) {
        GcInfo info = collector.getLastGcInfo();
        return info == null ? 0 : info.getId();
    }

    @Override
    public void handleNotification(Notification told, Object unused) {
        if (told.getUserData() instanceof CompositeData data) {
            GarbageCollectionNotificationInfo collection =
                    GarbageCollectionNotificationInfo.from(data);
            if (collection.getGcCause().equals(ASKED)) {
                asked.incrementAndGet();
            }
            heard.put(collection.getGcName(), collection.getGcInfo().getId());
        }
    }

    @Override
    public void close() throws ListenerNotFoundException {
        for (GarbageCollectorMXBean each : collectors) {
            ((NotificationEmitter) each).removeNotificationListener(this);
        }
    }
}
