package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.events.Event;
import org.keycloak.events.EventListenerProvider;
import org.keycloak.events.EventListenerProviderFactory;
import org.keycloak.events.admin.AdminEvent;
import org.keycloak.models.FederatedIdentityModel.FederatedIdentityRemovedEvent;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.UserModel;
import org.keycloak.provider.ProviderEvent;

/**
 * Takes the proved level away with the link that proved it ({@code longzheng-unlink}).
 *
 * <p>Keycloak lets a person, or an administrator, remove a link and leaves the attributes that its mappers wrote: an
 * account would stay at RN2 with nobody behind it. This listens where the link is removed in the store, which every way
 * leads through (account pages, admin API, admin pages) and which belongs to the same transaction. The audit events
 * would be too late and can be switched off; they are ignored here.
 */
public final class UnlinkListenerFactory implements EventListenerProviderFactory {

    private static final System.Logger LOG =
            System.getLogger(UnlinkListenerFactory.class.getName());

    @Override
    public String getId() {
        return "longzheng-unlink";
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
        factory.register(UnlinkListenerFactory::onProviderEvent);
    }

    private static void onProviderEvent(ProviderEvent event) {
        if (event instanceof FederatedIdentityRemovedEvent removed
                && RealName.PROVIDER.equals(removed.getFederatedIdentity().getIdentityProvider())) {
            forgetProof(removed);
        }
    }

    private static void forgetProof(FederatedIdentityRemovedEvent removed) {
        UserModel user = removed.getUser();
        List<String> proved = user.getAttributes().keySet().stream()
                .filter(name -> name.startsWith(RealName.ATTRIBUTE_PREFIX))
                .toList();
        proved.forEach(user::removeAttribute);
        removed.getKeycloakSession()
                .users()
                .removeFederatedIdentity(removed.getRealm(), user, RealName.FRESH_PROVIDER);
        LOG.log(System.Logger.Level.INFO, "real-name link removed, {0} attributes cleared", proved.size());
    }

    @Override
    public EventListenerProvider create(KeycloakSession session) {
        return new Silent();
    }

    @Override
    public void init(Config.Scope scope) {
        // Nothing to configure.
    }

    @Override
    public void close() {
        // Holds nothing.
    }

    /** Ignores audit events: see the class comment. */
    private static final class Silent implements EventListenerProvider {

        @Override
        public void onEvent(Event event) {
            // Not where the link is removed.
        }

        @Override
        public void onEvent(AdminEvent event, boolean includeRepresentation) {
            // Not where the link is removed.
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }
}
