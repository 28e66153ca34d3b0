import java.io.File;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.deidentifier.arx.*;
import org.deidentifier.arx.AttributeType.Hierarchy;
import org.deidentifier.arx.criteria.*;
import org.deidentifier.arx.metric.Metric;

/**
 * Asks ARX for its optima on its own table, in its loss metric; a line a case: name, levels in the order below, loss, greatest
 * and average risk. How long the best of three searches took goes to the error stream, so that the record is the same each time.
 * README.md beside this file says how ARX is built.
 */
public class ArxOptima {
    static final String[] ORDER = {"sex", "age", "race", "marital-status", "education", "native-country", "workclass", "occupation", "salary-class"};

    public static void main(String[] args) throws Exception {
        say(args[0], "nine", 0.04, false);
        say(args[0], "nine, any left out", 1.0, false);
        say(args[0], "eight, 2-diverse", 0.04, true);
    }

    static void say(String folder, String name, double limit, boolean diverse) throws Exception {
        Data data = Data.create(new File(folder, "adult.csv"), StandardCharsets.UTF_8, ';');
        for (String column : ORDER) {
            if (diverse && column.equals("salary-class")) {
                data.getDefinition().setAttributeType(column, AttributeType.SENSITIVE_ATTRIBUTE);
            } else {
                data.getDefinition().setAttributeType(column, Hierarchy.create(new File(folder, "adult_hierarchy_" + column + ".csv"), StandardCharsets.UTF_8, ';'));
            }
        }
        ARXConfiguration asked = ARXConfiguration.create();
        asked.addPrivacyModel(new KAnonymity(5));
        if (diverse) asked.addPrivacyModel(new DistinctLDiversity("salary-class", 2));
        asked.setSuppressionLimit(limit);
        asked.setQualityModel(Metric.createLossMetric());
        long best = Long.MAX_VALUE;
        ARXResult result = null;
        for (int round = 0; round < 3; round++) {
            data.getHandle().release();
            long start = System.nanoTime();
            result = new ARXAnonymizer().anonymize(data, asked);
            best = Math.min(best, System.nanoTime() - start);
        }
        ARXLattice.ARXNode node = result.getGlobalOptimum();
        StringBuilder levels = new StringBuilder();
        for (String column : ORDER) {
            if (!(diverse && column.equals("salary-class"))) levels.append(node.getGeneralization(column)).append(' ');
        }
        double average = result.getOutput(node, false).getRiskEstimator().getSampleBasedReidentificationRisk().getAverageRisk();
        double highest = result.getOutput(node, false).getRiskEstimator().getSampleBasedReidentificationRisk().getHighestRisk();
        System.out.println(name + "\t" + levels.toString().trim() + "\t" + node.getLowestScore() + "\t" + highest + "\t" + average);
        System.err.println(name + ": " + best / 1_000_000 + " ms");
    }
}
