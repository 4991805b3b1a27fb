package gov.longzheng.keycloak;

import jakarta.ws.rs.core.Response;
import java.time.Instant;
import java.util.Map;
import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.AuthenticationFlowError;
import org.keycloak.events.Errors;
import org.keycloak.models.AuthenticatorConfigModel;
import org.keycloak.models.UserModel;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * Holds one sign-in to one person across the hop to the real-name provider.
 *
 * <p>Keycloak compares the brokered account with an existing SSO session, but not with the account whose password and
 * one-time code were given earlier in the <em>same</em> sign-in. Without this step, Alice's factors and Carol's
 * real-name check would together become a token for Carol at the highest level.
 *
 * <p>In the browser flow an execution in mode {@code remember} notes the account after each factor. In the post-broker
 * flow an execution in mode {@code check} stands first. A note already made is never replaced by another account's, so
 * the order in which a person walks through the pages does not matter. No note (the person went straight to the
 * provider) is no conflict: the post-broker ladder then asks that account's own second factor.
 */
final class SameUserAuthenticator extends FormlessStep {

    private static final String SENTENCE = "实名核验的不是开始登录的本人，登录已中止。请由本人重新登录。";
    private static final String NOTE = "longzheng.same-user";

    @Override
    public void authenticate(AuthenticationFlowContext context) {
        AuthenticationSessionModel signIn = context.getAuthenticationSession();
        UserModel user = context.getUser();
        String noted = signIn.getAuthNote(NOTE);
        if (noted != null && !noted.equals(user.getId())) {
            refuse(context);
            return;
        }
        if (SameUserMode.REMEMBER.equals(modeOf(context.getAuthenticatorConfig()))) {
            signIn.setAuthNote(NOTE, user.getId());
        } else {
            // The check stands first after the hop, so the real-name check was made just now: see EnrolmentGuard.
            signIn.setUserSessionNote(EnrolmentGuard.PROVED_AT, Long.toString(Instant.now().getEpochSecond()));
        }
        context.success();
    }

    /** An execution without a configured mode checks, which refuses more and remembers nothing. */
    private static String modeOf(AuthenticatorConfigModel config) {
        Map<String, String> settings = config == null ? null : config.getConfig();
        return settings == null ? SameUserMode.CHECK : settings.getOrDefault(SameUserMode.KEY, SameUserMode.CHECK);
    }

    private static void refuse(AuthenticationFlowContext context) {
        context.getEvent().detail("reason", "broker_user_differs").error(Errors.DIFFERENT_USER_AUTHENTICATED);
        Response page = context.form().setError(SENTENCE).createErrorPage(Response.Status.BAD_REQUEST);
        context.failure(AuthenticationFlowError.USER_CONFLICT, page);
    }
}
