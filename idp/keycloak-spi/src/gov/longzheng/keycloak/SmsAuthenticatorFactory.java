package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.authentication.Authenticator;
import org.keycloak.authentication.AuthenticatorFactory;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderConfigProperty;

/** Registers {@link SmsAuthenticator} as {@code longzheng-sms}. */
public final class SmsAuthenticatorFactory implements AuthenticatorFactory {

    private static final SmsAuthenticator STEP = new SmsAuthenticator();

    @Override
    public String getId() {
        return "longzheng-sms";
    }

    @Override
    public String getDisplayType() {
        return "Longzheng: code by text message";
    }

    @Override
    public String getHelpText() {
        return "Signs in and registers with a mobile number (loa1, RN1); the real-name room sends and checks the code.";
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
        return List.of();
    }

    @Override
    public String getReferenceCategory() {
        return "longzheng-sms";
    }

    @Override
    public Requirement[] getRequirementChoices() {
        return new Requirement[] {Requirement.REQUIRED, Requirement.ALTERNATIVE, Requirement.DISABLED};
    }

    @Override
    public boolean isUserSetupAllowed() {
        return false;
    }

    @Override
    public void init(Config.Scope scope) {
        // The realm's identity provider holds address and secret.
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
