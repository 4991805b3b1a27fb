package gov.longzheng.keycloak;

/** The configuration of {@link SameUserAuthenticator} as it is written in the flow. */
final class SameUserMode {

    static final String KEY = "mode";
    static final String REMEMBER = "remember";
    static final String CHECK = "check";

    private SameUserMode() {}
}
