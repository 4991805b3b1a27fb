package gov.longzheng.keycloak;

import java.util.Map;
import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.AuthenticationFlowError;
import org.keycloak.authentication.authenticators.conditional.ConditionalAuthenticator;
import org.keycloak.authentication.authenticators.util.AcrStore;
import org.keycloak.models.AuthenticationExecutionModel;
import org.keycloak.sessions.AuthenticationSessionModel;
import org.keycloak.sessions.CommonClientSessionModel.ExecutionStatus;

/**
 * Counts a passkey that was used alone as what it is: possession of the device and its screen lock, {@code loa2}.
 *
 * <p>What counts is the step of this very sign-in that Keycloak itself recorded as passed, not a note that something
 * else could write.
 */
final class PasskeyAlone {

    private static final String STEP = "webauthn-authenticator-passwordless";
    private static final int LEVEL = 2;

    private PasskeyAlone() {}

    static boolean wasUsed(AuthenticationFlowContext context) {
        AuthenticationSessionModel signIn = context.getAuthenticationSession();
        for (Map.Entry<String, ExecutionStatus> one :
                signIn.getExecutionStatus().entrySet()) {
            if (one.getValue() == ExecutionStatus.SUCCESS) {
                AuthenticationExecutionModel step = context.getRealm().getAuthenticationExecutionById(one.getKey());
                if (step != null && STEP.equals(step.getAuthenticator())) {
                    return true;
                }
            }
        }
        return false;
    }

    /** A condition: whether a second factor is still to be given, because none was part of the first step. */
    static final class Missing extends FormlessStep implements ConditionalAuthenticator {

        @Override
        public boolean matchCondition(AuthenticationFlowContext context) {
            return !wasUsed(context);
        }
    }

    /** A step after the first: raises the level to that of the passkey, if one was used. */
    static final class Raise extends FormlessStep {

        @Override
        public void authenticate(AuthenticationFlowContext context) {
            if (context.getUser() == null) {
                context.failure(AuthenticationFlowError.UNKNOWN_USER);
                return;
            }
            if (wasUsed(context)) {
                new AcrStore(context.getSession(), context.getAuthenticationSession()).setLevelAuthenticated(LEVEL);
            }
            context.success();
        }
    }
}
