package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.authentication.Authenticator;
import org.keycloak.authentication.AuthenticatorFactory;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderConfigProperty;

/** Registers {@link SameUserAuthenticator} as {@code longzheng-same-user}. */
public final class SameUserAuthenticatorFactory implements AuthenticatorFactory {

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

    @Override
    public String getReferenceCategory() {
        return null;
    }

    @Override
    public Requirement[] getRequirementChoices() {
        return new Requirement[] {Requirement.REQUIRED, Requirement.DISABLED};
    }

    @Override
    public boolean isUserSetupAllowed() {
        return false;
    }

    @Override
    public void init(Config.Scope scope) {
        // Configured per execution, not per server.
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
        // Depends on no other provider.
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
