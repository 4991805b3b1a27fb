package gov.longzheng.keycloak;

import org.keycloak.authentication.RequiredActionProvider;
import org.keycloak.authentication.requiredactions.UpdateTotp;
import org.keycloak.models.KeycloakSession;

/** Stands before Keycloak's own action of the same id: {@link GuardedAction}. */
public final class GuardedTotpFactory extends UpdateTotp {

    @Override
    public RequiredActionProvider create(KeycloakSession session) {
        return new GuardedAction(super.create(session));
    }

    @Override
    public int order() {
        return 100;
    }
}
