package gov.longzheng.keycloak;

import org.keycloak.authentication.Authenticator;
import org.keycloak.models.KeycloakSession;

/** Registers {@link PasskeyAlone.Raise} as {@code longzheng-passkey-level}. */
public final class PasskeyLevelFactory extends StepFactory {

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
}
