import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.eclipse.edc.connector.controlplane.contract.spi.policy.ContractNegotiationPolicyContext;
import org.eclipse.edc.connector.controlplane.contract.spi.policy.TransferProcessPolicyContext;
import org.eclipse.edc.participant.spi.ParticipantAgentPolicyContext;
import org.eclipse.edc.policy.engine.spi.PolicyContext;
import org.eclipse.edc.policy.engine.spi.PolicyEngine;
import org.eclipse.edc.runtime.metamodel.annotation.Inject;
import org.eclipse.edc.spi.system.ServiceExtension;
import org.eclipse.edc.spi.system.ServiceExtensionContext;

/**
 * Asks a Tegata node what it would say, each time this EDC evaluates the policy of a negotiation or of a transfer.
 *
 * It lets everything pass, whatever the answer is and whether one comes: the node counts what it would have refused.
 * Settings: `tegata.url` (such as http://127.0.0.1:4777) and `tegata.token.file`, a token of the role `read`.
 */
public class Observe implements ServiceExtension {

    private final HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private String url;
    private String token;

    @Inject
    private PolicyEngine engine;

    @Override
    public void initialize(ServiceExtensionContext context) {
        url = context.getSetting("tegata.url", null);
        var file = context.getSetting("tegata.token.file", null);
        if (url == null || file == null) {
            return;
        }
        try {
            token = Files.readString(Path.of(file)).trim();
        } catch (java.io.IOException e) {
            context.getMonitor().warning("tegata: no token, nothing is asked: " + e);
            return;
        }
        engine.registerPostValidator(ContractNegotiationPolicyContext.class, (policy, at) -> ask(policy.getTarget(), at));
        engine.registerPostValidator(TransferProcessPolicyContext.class, (policy, at) -> ask(at.contractAgreement().getAssetId(), at));
    }

    private <C extends PolicyContext & ParticipantAgentPolicyContext> boolean ask(String asset, C at) {
        var question = "{\"counterparty\":" + quoted(at.participantAgent().getIdentity()) + ",\"dataset\":" + quoted(asset) + "}";
        var request = HttpRequest.newBuilder(URI.create(url + "/v1/checks?observe=true"))
                .header("Authorization", "Bearer " + token)
                .header("Content-Type", "application/json")
                .timeout(Duration.ofSeconds(5))
                .POST(HttpRequest.BodyPublishers.ofString(question))
                .build();
        // Not waited for: a node that is slow or gone holds nobody up.
        http.sendAsync(request, HttpResponse.BodyHandlers.discarding());
        return true;
    }

    private static String quoted(String text) {
        var out = new StringBuilder("\"");
        for (var c : String.valueOf(text).toCharArray()) {
            out.append(c == '"' || c == '\\' ? "\\" + c : c < ' ' ? " " : String.valueOf(c));
        }
        return out.append('"').toString();
    }
}
