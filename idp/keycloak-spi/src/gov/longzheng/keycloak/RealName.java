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

    /** The level of an account whose mobile number is proved and whose person is not. */
    static final String MOBILE_ONLY = "RN1";

    /** When the level was proved. */
    static final String VERIFIED_AT = "realname_verified_at";

    /** The link with a person in the real-name room; absent at RN1. */
    static final String REFERENCE = "realname_ref";

    private RealName() {}
}
