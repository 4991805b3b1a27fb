package gov.longzheng.keycloak;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.http.client.config.RequestConfig;
import org.keycloak.http.simple.SimpleHttp;
import org.keycloak.http.simple.SimpleHttpResponse;
import org.keycloak.models.IdentityProviderModel;
import org.keycloak.models.KeycloakSession;

/**
 * The real-name room's back channel for codes by text message.
 *
 * <p>Address and secret are those of the identity provider {@code realname}, which the realm holds anyway: no further
 * secret exists. The room sends, counts and checks; Keycloak learns only whether a code was right.
 */
final class SmsRoom {

    private static final int TIMEOUT_MS = 10_000;
    private static final int OK = 200;
    private static final String UNAVAILABLE = "unavailable";

    private final KeycloakSession session;

    SmsRoom(KeycloakSession session) {
        this.session = session;
    }

    /** The room's answer: either {@code refusal} is null, or it is the reason's code and nothing else counts. */
    record Answer(String refusal, String mobile, Map<String, String> attributes) {

        static Answer refused(String code) {
            return new Answer(code, null, Map.of());
        }
    }

    Answer send(String handle, String mobile, String address) {
        return ask("/v1/sign-in/code", Map.of("handle", handle, "mobile", mobile, "address", address));
    }

    Answer check(String handle, String mobile, String code, String realnameRef) {
        Map<String, String> asked = new HashMap<>(Map.of("handle", handle, "mobile", mobile, "code", code));
        if (realnameRef != null) {
            asked.put("realname_ref", realnameRef);
        }
        return ask("/v1/sign-in/check", asked);
    }

    private Answer ask(String path, Map<String, String> body) {
        IdentityProviderModel provider = session.identityProviders().getByAlias(RealName.PROVIDER);
        if (provider == null) {
            return Answer.refused(UNAVAILABLE);
        }
        Map<String, String> config = provider.getConfig();
        RequestConfig patience = RequestConfig.custom()
                .setConnectTimeout(TIMEOUT_MS)
                .setConnectionRequestTimeout(TIMEOUT_MS)
                .setSocketTimeout(TIMEOUT_MS)
                .build();
        try (SimpleHttpResponse answer = SimpleHttp.create(session)
                .withRequestConfig(patience)
                .doPost(config.get("issuer") + path)
                .authBasic(config.get("clientId"), secret(config.get("clientSecret")))
                .acceptJson()
                .json(body)
                .asResponse()) {
            JsonNode content = answer.asJson();
            return answer.getStatus() == OK
                    ? granted(content)
                    : Answer.refused(content.path("code").asText(UNAVAILABLE));
        } catch (IOException | RuntimeException unreachable) {
            return Answer.refused(UNAVAILABLE);
        }
    }

    private String secret(String configured) {
        return session.vault().getStringSecret(configured).get().orElse(configured);
    }

    private static Answer granted(JsonNode content) {
        Map<String, String> attributes = new HashMap<>();
        for (Map.Entry<String, JsonNode> one : content.path("attributes").properties()) {
            attributes.put(one.getKey(), one.getValue().asText());
        }
        return new Answer(null, content.path("mobile").asText(null), attributes);
    }
}
