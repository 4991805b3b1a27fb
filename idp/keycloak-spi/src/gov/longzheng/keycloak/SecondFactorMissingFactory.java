package gov.longzheng.keycloak;

import org.keycloak.authentication.authenticators.conditional.ConditionalAuthenticator;
import org.keycloak.authentication.authenticators.conditional.ConditionalAuthenticatorFactory;

/** Registers the condition {@code longzheng-second-factor-missing}. */
public final class SecondFactorMissingFactory extends StepFactory
        implements ConditionalAuthenticatorFactory {

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
}
