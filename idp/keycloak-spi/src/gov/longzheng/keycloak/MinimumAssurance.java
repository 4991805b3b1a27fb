package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.authentication.RequiredActionContext;
import org.keycloak.authentication.RequiredActionProvider;
import org.keycloak.models.ClientModel;
import org.keycloak.models.Constants;
import org.keycloak.models.UserModel;
import org.keycloak.sessions.AuthenticationSessionModel;

/**
 * Lets nobody into a site below the identity assurance that the site's file demands.
 *
 * <p>Keycloak evaluates required actions at every sign-in, also when a session at another site is continued or a
 * provider brought the person, so no flow leads past it. Whoever has no proof yet is led to the real-name check once;
 * who comes back without it, or has a proof that is too weak, stays outside. What counts is the account as it is when
 * the sign-in ends.
 */
final class MinimumAssurance implements RequiredActionProvider {

    static final String ID = "longzheng-minimum-assurance";

    /** Attribute of a client: RN1, RN2 or RN3. */
    static final String DEMANDED = "longzheng.minimum.assurance";

    private static final List<String> LEVELS = List.of("RN0", "RN1", "RN2", "RN3");
    private static final String LED = "longzheng.led-to-proof";
    private static final String LINK = "idp_link";

    @Override
    public void evaluateTriggers(RequiredActionContext context) {
        AuthenticationSessionModel signIn = context.getAuthenticationSession();
        if (suffices(signIn.getClient(), context.getUser())) {
            return;
        }
        signIn.addRequiredAction(ID);
        if (mayProve(context) && signIn.getAuthNote(LED) == null) {
            signIn.setAuthNote(LED, "true");
            signIn.setClientNote(Constants.KC_ACTION, LINK);
            signIn.setClientNote(Constants.KC_ACTION_PARAMETER, RealName.PROVIDER);
            signIn.addRequiredAction(LINK);
        }
    }

    /** Stands last: whatever the other actions of this sign-in brought about is in the account by now. */
    @Override
    public void requiredActionChallenge(RequiredActionContext context) {
        String demanded = context.getAuthenticationSession().getClient().getAttribute(DEMANDED);
        if (suffices(context.getAuthenticationSession().getClient(), context.getUser())) {
            context.success();
            return;
        }
        context.getEvent().detail("reason", "assurance_too_low");
        context.challenge(context.form()
                .setAttribute("demanded", demanded)
                .setAttribute("proved", context.getUser().getFirstAttribute(RealName.LEVEL) != null)
                .createForm("minimum-assurance.ftl"));
    }

    /** The one button of that page: back to the site, which is told {@code access_denied}. */
    @Override
    public void processAction(RequiredActionContext context) {
        if (suffices(context.getAuthenticationSession().getClient(), context.getUser())) {
            context.success();
        } else {
            context.failure("assurance_too_low");
        }
    }

    @Override
    public void close() {}

    private static boolean suffices(ClientModel site, UserModel person) {
        String demanded = site.getAttribute(DEMANDED);
        if (demanded == null || demanded.isEmpty()) {
            return true;
        }
        // A level that nobody knows is demanded in vain: nobody comes in, instead of everybody.
        String proved = person.getFirstAttribute(RealName.LEVEL);
        int wanted = LEVELS.indexOf(demanded);
        return wanted >= 0 && proved != null && LEVELS.indexOf(proved) >= wanted;
    }

    private static boolean mayProve(RequiredActionContext context) {
        UserModel person = context.getUser();
        return person.getFederationLink() == null
                && context.getSession().users().getFederatedIdentity(context.getRealm(), person, RealName.PROVIDER)
                        == null;
    }
}
