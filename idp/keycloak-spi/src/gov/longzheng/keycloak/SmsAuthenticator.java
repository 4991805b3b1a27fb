package gov.longzheng.keycloak;

import jakarta.ws.rs.core.MultivaluedMap;
import jakarta.ws.rs.core.Response;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.AuthenticationFlowError;
import org.keycloak.authentication.Authenticator;
import org.keycloak.common.util.SecretGenerator;
import org.keycloak.events.Errors;
import org.keycloak.forms.login.LoginFormsProvider;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * Signs in, and registers, with a mobile number and a code sent to it: a first factor, {@code loa1}.
 *
 * <p>The first page asks for the number, the second for the code. Until the code is right every number is treated
 * alike; then the number either has an account, or gets one at RN1 (a mobile number proved, of the person nothing).
 * An account is opened only if its number was proved to this realm before: by a code here or by real name. An imported
 * account waits for its owner's password, since numbers are given to new people.
 */
final class SmsAuthenticator implements Authenticator {

    /** When a code proved the number that names the account; stays when a real-name link goes. */
    static final String PROVED_AT = "mobile_proved_at";

    private static final String HANDLE = "longzheng.sms.handle";
    private static final String MOBILE = "longzheng.sms.mobile";
    private static final String PAGE = "sms-sign-in.ftl";
    private static final String MESSAGE = "lzSms-";
    private static final String NUMBER_FIELD = "mobile";
    private static final String CODE_FIELD = "code";
    private static final int HANDLE_BYTES = 32;

    @Override
    public void authenticate(AuthenticationFlowContext context) {
        UserModel known = context.getUser();
        if (known != null && !opens(known)) {
            context.attempted();
            return;
        }
        show(context, null, null);
    }

    @Override
    public void action(AuthenticationFlowContext context) {
        MultivaluedMap<String, String> sent = context.getHttpRequest().getDecodedFormParameters();
        AuthenticationSessionModel signIn = context.getAuthenticationSession();
        if (sent.containsKey("other-number")) {
            signIn.removeAuthNote(MOBILE);
            show(context, null, null);
        } else if (sent.containsKey(CODE_FIELD) && signIn.getAuthNote(MOBILE) != null && !sent.containsKey("resend")) {
            take(context, signIn, text(sent, CODE_FIELD));
        } else {
            String noted = signIn.getAuthNote(MOBILE);
            send(context, signIn, sent.containsKey("resend") && noted != null ? noted : text(sent, NUMBER_FIELD));
        }
    }

    private static String text(MultivaluedMap<String, String> sent, String field) {
        String value = sent.getFirst(field);
        return value == null ? "" : value;
    }

    private static void send(AuthenticationFlowContext context, AuthenticationSessionModel signIn, String typed) {
        UserModel known = context.getUser();
        String number = known == null ? typed : known.getUsername();
        String handle = signIn.getAuthNote(HANDLE);
        if (handle == null) {
            handle = SecretGenerator.getInstance().randomString(HANDLE_BYTES);
            signIn.setAuthNote(HANDLE, handle);
        }
        SmsRoom.Answer answer = new SmsRoom(context.getSession())
                .send(handle, number, context.getConnection().getRemoteHost());
        if (answer.refusal() == null) {
            signIn.setAuthNote(MOBILE, answer.mobile());
            show(context, null, null);
        } else {
            show(context, MESSAGE + answer.refusal(), typed);
        }
    }

    private static void take(AuthenticationFlowContext context, AuthenticationSessionModel signIn, String code) {
        KeycloakSession session = context.getSession();
        RealmModel realm = context.getRealm();
        String mobile = signIn.getAuthNote(MOBILE);
        UserModel user = session.users().getUserByUsername(realm, mobile);
        String link = user == null ? null : user.getFirstAttribute(RealName.REFERENCE);
        SmsRoom.Answer answer = new SmsRoom(session).check(signIn.getAuthNote(HANDLE), mobile, code, link);
        if (answer.refusal() != null) {
            context.getEvent().detail("reason", answer.refusal()).error(Errors.INVALID_USER_CREDENTIALS);
            show(context, MESSAGE + answer.refusal(), null);
            return;
        }
        // The code is used up by now: whatever follows starts with a new one.
        signIn.removeAuthNote(MOBILE);
        if (user == null) {
            user = session.users().addUser(realm, mobile);
            user.setEnabled(true);
            user.setSingleAttribute(PROVED_AT, answer.attributes().get(RealName.VERIFIED_AT));
        }
        if (!user.isEnabled()) {
            refuse(context, user, "accountDisabledMessage");
        } else if (!opens(user)) {
            refuse(context, user, MESSAGE + "not-proved");
        } else {
            prove(user, answer.attributes());
            context.setUser(user);
            context.success();
        }
    }

    /** Whether this realm has seen the number proved as this account's. */
    private static boolean opens(UserModel user) {
        return user.getFederationLink() == null
                && (user.getFirstAttribute(RealName.LEVEL) != null || user.getFirstAttribute(PROVED_AT) != null);
    }

    /** RN1 and its time, of an account whose person is not proved; a stronger proof keeps its own time and source. */
    private static void prove(UserModel user, Map<String, String> attributes) {
        String level = user.getFirstAttribute(RealName.LEVEL);
        if (level == null || RealName.MOBILE_ONLY.equals(level)) {
            attributes.forEach(user::setSingleAttribute);
            user.setSingleAttribute(PROVED_AT, Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        }
    }

    private static void refuse(AuthenticationFlowContext context, UserModel user, String sentence) {
        context.getEvent().user(user).error(Errors.USER_DISABLED);
        Response page = page(context, sentence, null);
        context.failureChallenge(AuthenticationFlowError.INVALID_USER, page);
    }

    private static void show(AuthenticationFlowContext context, String sentence, String typed) {
        Response page = page(context, sentence, typed);
        if (sentence == null) {
            context.challenge(page);
        } else {
            context.failureChallenge(AuthenticationFlowError.INVALID_CREDENTIALS, page);
        }
    }

    private static Response page(AuthenticationFlowContext context, String sentence, String typed) {
        String mobile = context.getAuthenticationSession().getAuthNote(MOBILE);
        LoginFormsProvider form = context.form()
                .setAttribute("lzMobile", mobile == null ? "" : mobile)
                .setAttribute("lzKnown", context.getUser() != null)
                .setAttribute("lzTyped", typed == null ? "" : typed)
                .setAttribute("lzWrong", sentence == null ? "" : sentence);
        return form.createForm(PAGE);
    }

    @Override
    public boolean requiresUser() {
        return false;
    }

    @Override
    public boolean configuredFor(KeycloakSession session, RealmModel realm, UserModel user) {
        return opens(user);
    }

    @Override
    public void setRequiredActions(KeycloakSession session, RealmModel realm, UserModel user) {
        // Nothing to set up: the phone is there or it is not.
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
