package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.authentication.Authenticator;
import org.keycloak.models.KeycloakSession;
import org.keycloak.provider.ProviderConfigProperty;

/** Registers {@link SameUserAuthenticator} as {@code longzheng-same-user}. */
public final class SameUserAuthenticatorFactory extends StepFactory {

    private static final SameUserAuthenticator STEP = new SameUserAuthenticator();

    @Override
    public String getId() {
        return "longzheng-same-user";
    }

    @Override
    public String getDisplayType() {
        return "Longzheng: same person across the broker hop";
    }

    @Override
    public String getHelpText() {
        return "remember: notes whose factors were given. check: refuses when the provider returned somebody else.";
    }

    @Override
    public Authenticator create(KeycloakSession session) {
        return STEP;
    }

    @Override
    public boolean isConfigurable() {
        return true;
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        ProviderConfigProperty mode = new ProviderConfigProperty(
                SameUserMode.KEY,
                "Mode",
                "remember in the browser flow, check first in the post-broker flow",
                ProviderConfigProperty.LIST_TYPE,
                SameUserMode.CHECK,
                SameUserMode.REMEMBER,
                SameUserMode.CHECK);
        return List.of(mode);
    }
}
