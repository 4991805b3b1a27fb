package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.authentication.Authenticator;
import org.keycloak.authentication.AuthenticatorFactory;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderConfigProperty;

/** Registers {@link PasskeyAlone.Raise} as {@code longzheng-passkey-level}. */
public final class PasskeyLevelFactory implements AuthenticatorFactory {

    private static final PasskeyAlone.Raise STEP = new PasskeyAlone.Raise();

    @Override
    public String getId() {
        return "longzheng-passkey-level";
    }

    @Override
    public String getDisplayType() {
        return "Longzheng: a passkey alone is loa2";
    }

    @Override
    public String getHelpText() {
        return "Raises the level when the first step of this sign-in was a passkey with the device's screen lock.";
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
        // Nothing to configure.
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
