package gov.longzheng.keycloak;

import org.keycloak.authentication.CredentialRegistrator;
import org.keycloak.authentication.InitiatedActionSupport;
import org.keycloak.authentication.RequiredActionContext;
import org.keycloak.authentication.RequiredActionProvider;
import org.keycloak.models.KeycloakSession;
import org.keycloak.sessions.AuthenticationSessionModel;

/** One of Keycloak's own actions that set up a second factor, behind the {@link EnrolmentGuard}. */
final class GuardedAction implements RequiredActionProvider, CredentialRegistrator {

    private final RequiredActionProvider inner;

    GuardedAction(RequiredActionProvider inner) {
        this.inner = inner;
    }

    @Override
    public InitiatedActionSupport initiatedActionSupport() {
        return inner.initiatedActionSupport();
    }

    @Override
    public void initiatedActionCanceled(KeycloakSession session, AuthenticationSessionModel signIn) {
        inner.initiatedActionCanceled(session, signIn);
    }

    @Override
    public int getMaxAuthAge(KeycloakSession session) {
        return inner.getMaxAuthAge(session);
    }

    @Override
    public void evaluateTriggers(RequiredActionContext context) {
        inner.evaluateTriggers(context);
    }

    @Override
    public void requiredActionChallenge(RequiredActionContext context) {
        if (!EnrolmentGuard.stops(context)) {
            inner.requiredActionChallenge(context);
        }
    }

    @Override
    public void processAction(RequiredActionContext context) {
        if (!EnrolmentGuard.stops(context)) {
            inner.processAction(context);
        }
    }

    @Override
    public String getCredentialType(KeycloakSession session, AuthenticationSessionModel signIn) {
        return ((CredentialRegistrator) inner).getCredentialType(session, signIn);
    }

    @Override
    public void close() {
        inner.close();
    }
}
