package gov.longzheng.keycloak;

import org.keycloak.Config;
import org.keycloak.authentication.AuthenticatorFactory;
import org.keycloak.models.AuthenticationExecutionModel.Requirement;
import org.keycloak.models.KeycloakSessionFactory;

/** What both flow steps of this jar have in common: they are required or off, and a person sets nothing up. */
abstract class StepFactory implements AuthenticatorFactory {

    @Override
    public final String getReferenceCategory() {
        return null;
    }

    @Override
    public final Requirement[] getRequirementChoices() {
        return new Requirement[] {Requirement.REQUIRED, Requirement.DISABLED};
    }

    @Override
    public final boolean isUserSetupAllowed() {
        return false;
    }

    @Override
    public final void init(Config.Scope scope) {
        // Configured per execution, not per server.
    }

    @Override
    public final void postInit(KeycloakSessionFactory factory) {
        // Depends on no other provider.
    }

    @Override
    public final void close() {
        // Holds nothing.
    }
}
