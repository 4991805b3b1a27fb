package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.authentication.authenticators.conditional.ConditionalAuthenticator;
import org.keycloak.authentication.authenticators.conditional.ConditionalAuthenticatorFactory;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.provider.ProviderConfigProperty;

/** Registers the condition {@code longzheng-second-factor-missing}. */
public final class SecondFactorMissingFactory implements ConditionalAuthenticatorFactory {

    private static final PasskeyAlone.Missing CONDITION = new PasskeyAlone.Missing();

    @Override
    public String getId() {
        return "longzheng-second-factor-missing";
    }

    @Override
    public String getDisplayType() {
        return "Longzheng: no passkey was used alone";
    }

    @Override
    public String getHelpText() {
        return "True unless the first step of this sign-in was a passkey, which is both factors in one.";
    }

    @Override
    public ConditionalAuthenticator getSingleton() {
        return CONDITION;
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
