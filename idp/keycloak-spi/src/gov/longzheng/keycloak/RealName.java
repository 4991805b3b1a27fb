package gov.longzheng.keycloak;

/** Names that the realm's data and this jar share. */
final class RealName {

    /** The provider whose link is the proof of who somebody is. */
    static final String PROVIDER = "realname";

    /** The same upstream, asked again for the highest level. */
    static final String FRESH_PROVIDER = "realname-fresh";

    /** All that the proof wrote into the account begins so. */
    static final String ATTRIBUTE_PREFIX = "realname_";

    /** The proved level, RN1 to RN3; absent without a proof. */
    static final String LEVEL = "realname_level";

    private RealName() {}
}
