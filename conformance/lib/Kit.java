// Runs the kit's tests by the JUnit Platform, writes JUnit XML, and says by its exit status how it went.
// java -cp 'lib/*' Kit.java PROPERTIES REPORTS EXPECTED LAUNCHER PACKAGE...
import java.io.FileReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Properties;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.store.Namespace;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.reporting.legacy.xml.LegacyXmlReportGeneratingListener;

public class Kit {
    public static void main(String[] args) throws Exception {
        var properties = new Properties();
        try (var reader = new FileReader(args[0])) {
            properties.load(reader);
        }
        properties.forEach((key, value) -> System.setProperty((String) key, (String) value));
        System.setProperty("dataspacetck.launcher", args[3]);
        var packages = Arrays.asList(args).subList(4, args.length);
        var request = LauncherDiscoveryRequestBuilder.request()
                .selectors(packages.stream().map(DiscoverySelectors::selectPackage).toList())
                .filters(ClassNameFilter.includeClassNamePatterns(".*Test"))
                .build();
        var summary = new SummaryGeneratingListener();
        var xml = new LegacyXmlReportGeneratingListener(Path.of(args[1]), new PrintWriter(System.err));
        var lines = new TestExecutionListener() {
            @Override
            public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest()) {
                    var good = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
                    System.out.println((good ? "ok   " : "FAIL ") + test.getDisplayName());
                    result.getThrowable().ifPresent(why -> System.out.println("     " + why));
                }
            }

            @Override
            public void executionSkipped(TestIdentifier test, String why) {
                System.out.println("skip " + test.getDisplayName() + ": " + why);
            }
        };
        var config = LauncherConfig.builder().addLauncherSessionListeners(new LauncherSessionListener() {
            @Override
            public void launcherSessionOpened(LauncherSession session) {
                // Later versions of the kits look for their monitor here; earlier ones make it themselves.
                try {
                    var type = Class.forName("org.eclipse.dataspacetck.core.system.ConsoleMonitor");
                    var monitor = type.getConstructor(boolean.class, boolean.class).newInstance(true, false);
                    var key = "org.eclipse.dataspacetck.core.spi.boot.Monitor";
                    session.getStore().put(Namespace.GLOBAL, key, monitor);
                } catch (ReflectiveOperationException none) {
                    System.err.println("no monitor: " + none);
                }
            }
        }).build();
        LauncherFactory.create(config).execute(request, summary, xml, lines);
        var found = summary.getSummary();
        System.out.printf("%d passed, %d failed, %d skipped%n",
                found.getTestsSucceededCount(), found.getTestsFailedCount(), found.getTestsSkippedCount());
        var all = found.getTestsSucceededCount() == Long.parseLong(args[2]);
        // Threads of the kit's HTTP server do not end by themselves.
        System.exit(all && found.getTotalFailureCount() == 0 ? 0 : 1);
    }
}
