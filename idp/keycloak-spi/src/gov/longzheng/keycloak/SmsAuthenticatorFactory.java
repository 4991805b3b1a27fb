package gov.longzheng.keycloak;

import org.keycloak.authentication.Authenticator;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.KeycloakSession;

/** Registers {@link SmsAuthenticator} as {@code longzheng-sms}. */
public final class SmsAuthenticatorFactory extends StepFactory {

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
    public String getReferenceCategory() {
        return "longzheng-sms";
    }

    @Override
    public Requirement[] getRequirementChoices() {
        return new Requirement[] {Requirement.REQUIRED, Requirement.ALTERNATIVE, Requirement.DISABLED};
    }
}
