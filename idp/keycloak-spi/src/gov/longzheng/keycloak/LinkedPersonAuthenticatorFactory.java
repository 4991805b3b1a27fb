package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.authentication.Authenticator;
import org.keycloak.models.KeycloakSession;
import org.keycloak.provider.ProviderConfigProperty;

/** Registers {@link LinkedPersonAuthenticator} as {@code longzheng-linked-person}. */
public final class LinkedPersonAuthenticatorFactory extends StepFactory {

    private static final LinkedPersonAuthenticator STEP = new LinkedPersonAuthenticator();

    @Override
    public String getId() {
        return "longzheng-linked-person";
    }

    @Override
    public String getDisplayType() {
        return "Longzheng: only a person already linked by real name";
    }

    @Override
    public String getHelpText() {
        return "Finds the account that the provider realname links to this person; refuses, and creates nothing, if none.";
    }

    @Override
    public Authenticator create(KeycloakSession session) {
        return STEP;
    }

    @Override
    public boolean isConfigurable() {
        return false;
    }

    @Override
    public List<ProviderConfigProperty> getConfigProperties() {
        return List.of();
    }
}
