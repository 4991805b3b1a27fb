package gov.longzheng.keycloak;

import org.keycloak.authentication.AuthenticationFlowContext;
import org.keycloak.authentication.Authenticator;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.RealmModel;
import org.keycloak.models.UserModel;

/** A step about a person who is known already: it shows no form and needs nothing set up. */
abstract class FormlessStep implements Authenticator {

    @Override
    public void action(AuthenticationFlowContext context) {
        // There is no form, so there is nothing to receive.
    }

    @Override
    public boolean requiresUser() {
        return true;
    }

    @Override
    public boolean configuredFor(KeycloakSession session, RealmModel realm, UserModel user) {
        return true;
    }

    @Override
    public void setRequiredActions(KeycloakSession session, RealmModel realm, UserModel user) {
        // Nothing for the person to set up.
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
