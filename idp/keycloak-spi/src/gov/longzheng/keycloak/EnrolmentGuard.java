package gov.longzheng.keycloak;

import jakarta.ws.rs.core.Response;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import org.keycloak.authentication.AuthenticationProcessor;
import org.keycloak.authentication.RequiredActionContext;
import org.keycloak.authentication.authenticators.util.AcrStore;

import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;
import org.keycloak.models.UserSessionModel;

import org.keycloak.services.Urls;
import org.keycloak.services.managers.ClientSessionCode;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * Decides who may set up a second factor.
 *
 * <p>Keycloak asks for nothing but a sign-in, so whoever knows only the password of an account could set up its first
 * one-time code, and would be at loa2 from then on. Here the first factor needs a real-name check of the last ten
 * minutes, for which the person is led away and comes back to what they were doing. A further factor needs one that
 * is there already (loa2): a remote check that leaked data and a borrowed phone may pass yields loa1 and no more.
 * Staff come from their directory and are enrolled under supervision.
 */
final class EnrolmentGuard {

    static final String PROVED_AT = "longzheng.realname-at";

    private static final long FRESH_S = Duration.ofMinutes(10).toSeconds();
    private static final int SECOND_FACTOR_LEVEL = 2;
    private static final Set<String> SECOND_FACTORS =
            Set.of("otp", "webauthn", "webauthn-passwordless", "recovery-authn-codes");
    private static final String NOT_PROVED = "设置二次验证以前，请先在原网站完成实名核验。";
    private static final String FACTOR_FIRST = "这个账号已有二次验证。请先用它登录，再添加新的；都已丢失的，请带身份证到政务服务窗口办理。";

    private EnrolmentGuard() {}

    /** Whether the action must not go on; the answer to the person is in the context then. */
    static boolean stops(RequiredActionContext context) {
        UserModel user = context.getUser();
        if (user.getFederationLink() != null) {
            return false;
        }
        boolean hasFactor = user.credentialManager()
                .getStoredCredentialsStream()
                .anyMatch(credential -> SECOND_FACTORS.contains(credential.getType()));
        if (hasFactor) {
            return level(context) < SECOND_FACTOR_LEVEL && refused(context, FACTOR_FIRST);
        }
        if (isFresh(context)) {
            return false;
        }
        boolean linked =
                context.getSession().users().getFederatedIdentity(context.getRealm(), user, RealName.PROVIDER) != null;
        return linked ? ledAway(context) : refused(context, NOT_PROVED);
    }

    private static int level(RequiredActionContext context) {
        return new AcrStore(context.getSession(), context.getAuthenticationSession())
                .getLevelOfAuthenticationFromCurrentAuthentication();
    }

    /** The note of this very sign-in counts, or that of the session which it continues. */
    private static boolean isFresh(RequiredActionContext context) {
        AuthenticationSessionModel signIn = context.getAuthenticationSession();
        String provedAt = signIn.getUserSessionNotes().get(PROVED_AT);
        if (provedAt == null) {
            UserSessionModel before = context.getSession()
                    .sessions()
                    .getUserSession(context.getRealm(), signIn.getParentSession().getId());
            boolean own = before != null
                    && before.getUser().getId().equals(context.getUser().getId());
            provedAt = own ? before.getNote(PROVED_AT) : null;
        }
        if (provedAt == null) {
            return false;
        }
        long age = Instant.now().getEpochSecond() - Long.parseLong(provedAt);
        return age >= 0 && age <= FRESH_S;
    }

    private static boolean refused(RequiredActionContext context, String sentence) {
        context.getEvent().detail("reason", "enrolment_refused");
        context.challenge(context.form().setError(sentence).createErrorPage(Response.Status.FORBIDDEN));
        return true;
    }

    /** To the real-name check within this sign-in, which goes on with the same action when the person is back. */
    private static boolean ledAway(RequiredActionContext context) {
        KeycloakSession session = context.getSession();
        RealmModel realm = context.getRealm();
        AuthenticationSessionModel signIn = context.getAuthenticationSession();
        signIn.setAction(AuthenticationSessionModel.Action.AUTHENTICATE.name());
        String code = new ClientSessionCode<>(session, realm, signIn).getOrGenerateCode();
        URI address = Urls.identityProviderAuthnRequest(
                context.getUriInfo().getBaseUri(),
                RealName.PROVIDER,
                realm.getName(),
                code,
                signIn.getClient().getClientId(),
                signIn.getTabId(),
                AuthenticationProcessor.getClientData(session, signIn),
                null);
        context.challenge(Response.seeOther(address).build());
        return true;
    }
}
