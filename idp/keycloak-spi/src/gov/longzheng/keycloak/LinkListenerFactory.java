package gov.longzheng.keycloak;

import java.util.List;
import org.keycloak.Config;
import org.keycloak.events.Event;
import org.keycloak.events.EventListenerProvider;
import org.keycloak.events.EventListenerProviderFactory;
import org.keycloak.events.admin.AdminEvent;
import org.keycloak.models.FederatedIdentityModel;
import org.keycloak.models.FederatedIdentityModel.FederatedIdentityCreatedEvent;
import org.keycloak.models.FederatedIdentityModel.FederatedIdentityRemovedEvent;
import org.keycloak.models.KeycloakSession;
import org.keycloak.models.KeycloakSessionFactory;
import org.keycloak.models.UserModel;
import org.keycloak.provider.ProviderEvent;

/**
 * Keeps an account true to its link with the real-name provider ({@code longzheng-realname-link}).
 *
 * <p>When {@code realname} is linked, {@code realname-fresh} is linked to the same person: Keycloak keeps links per
 * alias, and were the second one made at the first step to loa3, the first-broker flow would clear what the sign-in
 * had noted before the hop, the same-person note included.
 *
 * <p>When {@code realname} is unlinked, the proved level goes too. Keycloak lets a person, or an administrator, remove
 * a link and leaves the attributes that its mappers wrote: an account would stay at RN2 with nobody behind it.
 *
 * <p>This listens where links are kept, which every way leads through (sign-in, account pages, admin API) and which
 * belongs to the same transaction. Audit events would be too late and can be switched off; they are ignored here.
 */
public final class LinkListenerFactory implements EventListenerProviderFactory {

    private static final System.Logger LOG = System.getLogger(LinkListenerFactory.class.getName());

    @Override
    public String getId() {
        return "longzheng-realname-link";
    }

    @Override
    public void postInit(KeycloakSessionFactory factory) {
        factory.register(LinkListenerFactory::onProviderEvent);
    }

    private static void onProviderEvent(ProviderEvent event) {
        if (event instanceof FederatedIdentityCreatedEvent created && isProof(created.getFederatedIdentity())) {
            linkFresh(created);
        } else if (event instanceof FederatedIdentityRemovedEvent removed && isProof(removed.getFederatedIdentity())) {
            forgetProof(removed);
        }
    }

    private static boolean isProof(FederatedIdentityModel link) {
        return RealName.PROVIDER.equals(link.getIdentityProvider());
    }

    private static void linkFresh(FederatedIdentityCreatedEvent created) {
        KeycloakSession session = created.getKeycloakSession();
        if (session.identityProviders().getByAlias(RealName.FRESH_PROVIDER) == null) {
            return;
        }
        FederatedIdentityModel proof = created.getFederatedIdentity();
        session.users().removeFederatedIdentity(created.getRealm(), created.getUser(), RealName.FRESH_PROVIDER);
        session.users()
                .addFederatedIdentity(
                        created.getRealm(),
                        created.getUser(),
                        new FederatedIdentityModel(RealName.FRESH_PROVIDER, proof.getUserId(), proof.getUserName()));
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
            // Not where links are kept.
        }

        @Override
        public void onEvent(AdminEvent event, boolean includeRepresentation) {
            // Not where links are kept.
        }

        @Override
        public void close() {
            // Holds nothing.
        }
    }
}
