package gov.longzheng.keycloak;

import org.keycloak.Config;
import org.keycloak.authentication.RequiredActionFactory;
import org.keycloak.authentication.RequiredActionProvider;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;

/** Registers {@link MinimumAssurance}. */
public final class MinimumAssuranceFactory implements RequiredActionFactory {

    private static final MinimumAssurance ACTION = new MinimumAssurance();

    @Override
    public String getId() {
        return MinimumAssurance.ID;
    }

    @Override
    public String getDisplayText() {
        return "Longzheng: identity assurance that a site demands";
    }

    @Override
    public RequiredActionProvider create(KeycloakSession session) {
        return ACTION;
    }

    @Override
    public void init(Config.Scope config) {}

    @Override
    public void postInit(KeycloakSessionFactory factory) {}

    @Override
    public void close() {}
}
