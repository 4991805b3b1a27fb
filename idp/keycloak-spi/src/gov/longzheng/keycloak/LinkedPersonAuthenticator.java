package gov.longzheng.keycloak;

import jakarta.ws.rs.core.Response;
import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.AuthenticationFlowError;
import org.keycloak.authentication.authenticators.broker.AbstractIdpAuthenticator;
import org.keycloak.authentication.authenticators.broker.util.SerializedBrokeredIdentityContext;
import org.keycloak.broker.provider.BrokeredIdentityContext;
import org.keycloak.events.Errors;
import org.keycloak.models.FederatedIdentityModel;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;

/**
 * The whole first-broker flow of {@code realname-fresh}: finds the account that {@code realname} already links to this
 * person, and never creates one.
 *
 * <p>Keycloak keeps links per provider alias. The fresh check has an alias of its own because it demands more of the
 * upstream answer (an essential {@code acr}), yet it speaks of the same people: same upstream, same {@code sub}. A
 * person whom {@code realname} does not link to any account is refused, before anything is stored.
 */
final class LinkedPersonAuthenticator extends AbstractIdpAuthenticator {

    @Override
    protected void authenticateImpl(
            AuthenticationFlowContext context, SerializedBrokeredIdentityContext stored, BrokeredIdentityContext answer) {
        FederatedIdentityModel asLinked =
                new FederatedIdentityModel(RealName.PROVIDER, answer.getId(), answer.getUsername());
        UserModel user = context.getSession().users().getUserByFederatedIdentity(context.getRealm(), asLinked);
        if (user == null || !user.isEnabled()) {
            refuse(context);
            return;
        }
        context.setUser(user);
        context.getAuthenticationSession().setAuthNote(FIRST_BROKER_LOGIN_SUCCESS, answer.getIdpConfig().getAlias());
        context.success();
    }

    private static void refuse(AuthenticationFlowContext context) {
        context.getEvent().detail("reason", "person_not_linked").error(Errors.USER_NOT_FOUND);
        Response page = context.form()
                .setError("identityProviderNotFoundMessage", RealName.PROVIDER)
                .createErrorPage(Response.Status.UNAUTHORIZED);
        context.failure(AuthenticationFlowError.ACCESS_DENIED, page);
    }

    @Override
    protected void actionImpl(
            AuthenticationFlowContext context, SerializedBrokeredIdentityContext stored, BrokeredIdentityContext answer) {
        // There is no form, so there is nothing to receive.
    }

    @Override
    public boolean requiresUser() {
        return false;
    }

    @Override
    public boolean configuredFor(KeycloakSession session, RealmModel realm, UserModel user) {
        return true;
    }
}
