import org.bouncycastle.asn1.ASN1BitString;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1UTCTime;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERIA5String;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.ofdrw.gm.ses.v1.SES_ESPictrueInfo;
import org.ofdrw.gm.ses.v1.SES_Header;
import org.ofdrw.gm.ses.v4.CertInfoList;
import org.ofdrw.gm.ses.v4.SES_CertList;
import org.ofdrw.gm.ses.v4.SES_ESPropertyInfo;
import org.ofdrw.gm.ses.v4.SES_SealInfo;
import org.ofdrw.gm.ses.v4.SES_Signature;
import org.ofdrw.gm.ses.v4.SESeal;
import org.ofdrw.gm.ses.v4.TBS_Sign;

import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.Date;

/**
 * Reads and verifies e-seals with ofdrw's structures and Bouncy Castle's cryptography, or makes some.
 *
 * <p>Usage: {@code EsealPeer seal|signature FILE…} prints, for each file, whether the signature holds and what
 * the structure says; {@code EsealPeer make DIRECTORY} writes seals and signatures of versions 1 and 4.
 */
public final class EsealPeer {
    private static final byte[] DATA = "the protected data".getBytes(StandardCharsets.US_ASCII);
    private static final BouncyCastleProvider BC = new BouncyCastleProvider();
    private static final Date MADE = Date.from(java.time.Instant.parse("2026-07-02T01:02:03Z"));
    private static final Date END = Date.from(java.time.Instant.parse("2027-07-02T01:02:03Z"));
    private static final Date SIGNED = Date.from(java.time.Instant.parse("2026-07-05T01:02:03Z"));

    private EsealPeer() {
    }

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].equals("make")) {
            make(Path.of(arguments[1]));
            return;
        }
        for (int i = 1; i < arguments.length; i++) {
            byte[] der = Files.readAllBytes(Path.of(arguments[i]));
            System.out.println(arguments[0].equals("seal") ? seal(SESeal.getInstance(der)) : signature(der));
        }
    }

    private static String seal(SESeal seal) throws Exception {
        boolean holds = verify(seal.getCert(), seal.getSignAlgID(), seal.getSignedValue(),
                seal.geteSealInfo().getEncoded("DER"));
        SES_SealInfo info = seal.geteSealInfo();
        SES_ESPropertyInfo property = info.getProperty();
        return String.join("|", "holds=" + holds, "version=" + info.getHeader().getVersion().getValue(),
                "id=" + info.getEsID().getString(), "name=" + property.getName().getString(),
                "holder=" + Base64.getEncoder().encodeToString(
                        MessageDigest.getInstance("SHA-256").digest(property.getCertList().getCerts().get(0).getOctets())),
                "created=" + property.getCreateDate().getDate().toInstant(),
                "until=" + property.getValidEnd().getDate().toInstant(),
                "picture=" + info.getPicture().getType().getString() + info.getPicture().getWidth());
    }

    private static String signature(byte[] der) throws Exception {
        SES_Signature value = SES_Signature.getInstance(der);
        TBS_Sign signed = value.getToSign();
        boolean holds = verify(value.getCert(), value.getSignatureAlgID(), value.getSignature(),
                signed.getEncoded("DER"));
        return String.join("|", "holds=" + holds, "version=" + signed.getVersion().getValue(),
                "time=" + signed.getTimeInfo().getDate().toInstant(),
                "property=" + signed.getPropertyInfo().getString(),
                "hash=" + Base64.getEncoder().encodeToString(signed.getDataHash().getOctets()),
                "seal-" + seal(signed.getEseal()).split("\\|")[0]);
    }

    private static boolean verify(ASN1OctetString certificate, ASN1ObjectIdentifier algorithm, ASN1BitString value,
                                  byte[] data) throws Exception {
        X509Certificate parsed = (X509Certificate) CertificateFactory.getInstance("X.509", BC)
                .generateCertificate(new ByteArrayInputStream(certificate.getOctets()));
        Signature machine = Signature.getInstance(algorithm.getId(), BC);
        machine.initVerify(parsed.getPublicKey());
        machine.update(data);
        return machine.verify(value.getOctets());
    }

    private static byte[] sign(KeyPair pair, byte[] data) throws Exception {
        Signature machine = Signature.getInstance("SM3withSM2", BC);
        machine.initSign(pair.getPrivate());
        machine.update(data);
        return machine.sign();
    }

    private static KeyPair keys() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", BC);
        generator.initialize(new ECGenParameterSpec("sm2p256v1"));
        return generator.generateKeyPair();
    }

    private static byte[] certificate(KeyPair pair, String name) throws Exception {
        X500Name subject = new X500Name("C=CN,CN=" + name);
        X509CertificateHolder holder = new X509v3CertificateBuilder(subject, BigInteger.valueOf(name.hashCode() & 0xffff),
                MADE, END, subject, SubjectPublicKeyInfo.getInstance(pair.getPublic().getEncoded()))
                .build(new JcaContentSignerBuilder("SM3withSM2").setProvider(BC).build(pair.getPrivate()));
        return holder.getEncoded();
    }

    private static void make(Path directory) throws Exception {
        KeyPair makerPair = keys();
        KeyPair holderPair = keys();
        byte[] maker = certificate(makerPair, "maker");
        byte[] holder = certificate(holderPair, "holder");
        byte[] hash = MessageDigest.getInstance("SM3", BC).digest(DATA);
        makeV4(directory, makerPair, holderPair, maker, holder, hash);
        makeV1(directory, makerPair, holderPair, maker, holder, hash);
    }

    private static void makeV4(Path directory, KeyPair makerPair, KeyPair holderPair, byte[] maker, byte[] holder,
                               byte[] hash) throws Exception {
        SES_ESPropertyInfo property = new SES_ESPropertyInfo().setType(new ASN1Integer(1))
                .setName(new DERUTF8String("示例章")).setCertListType(SES_ESPropertyInfo.CertListType)
                .setCertList(new SES_CertList(new CertInfoList().add(new DEROctetString(holder))))
                .setCreateDate(new ASN1GeneralizedTime(MADE)).setValidStart(new ASN1GeneralizedTime(MADE))
                .setValidEnd(new ASN1GeneralizedTime(END));
        SES_SealInfo info = new SES_SealInfo(new SES_Header(SES_Header.V4, new DERIA5String("peer")),
                new DERIA5String("62010000000009"), property, picture(), null);
        SESeal seal = new SESeal().seteSealInfo(info).setCert(new DEROctetString(maker))
                .setSignAlgID(GMObjectIdentifiers.sm2sign_with_sm3)
                .setSignedValue(sign(makerPair, info.getEncoded("DER")));
        TBS_Sign toSign = new TBS_Sign().setVersion(SES_Header.V4).setEseal(seal)
                .setTimeInfo(new ASN1GeneralizedTime(SIGNED)).setDataHash(hash)
                .setPropertyInfo("/Doc_0/Signs/Sign_0/Signature.xml");
        SES_Signature signature = new SES_Signature().setToSign(toSign).setCert(new DEROctetString(holder))
                .setSignatureAlgID(GMObjectIdentifiers.sm2sign_with_sm3)
                .setSignature(sign(holderPair, toSign.getEncoded("DER")));
        Files.write(directory.resolve("seal-v4.esl"), seal.getEncoded("DER"));
        Files.write(directory.resolve("signature-v4.dat"), signature.getEncoded("DER"));
    }

    private static void makeV1(Path directory, KeyPair makerPair, KeyPair holderPair, byte[] maker, byte[] holder,
                               byte[] hash) throws Exception {
        ASN1OctetString makerDer = new DEROctetString(maker);
        ASN1ObjectIdentifier algorithm = GMObjectIdentifiers.sm2sign_with_sm3;
        org.ofdrw.gm.ses.v1.SES_ESPropertyInfo property = new org.ofdrw.gm.ses.v1.SES_ESPropertyInfo().setType(1)
                .setName("示例章").setCertList(new DERSequence(new DEROctetString(holder)))
                .setCreateDate(new ASN1UTCTime(MADE)).setValidStart(new ASN1UTCTime(MADE))
                .setValidEnd(new ASN1UTCTime(END));
        org.ofdrw.gm.ses.v1.SES_SealInfo info = new org.ofdrw.gm.ses.v1.SES_SealInfo(
                new SES_Header(new ASN1Integer(1), new DERIA5String("peer")), new DERIA5String("62010000000008"),
                property, picture(), null);
        ASN1EncodableVector signed = new ASN1EncodableVector();
        signed.add(info);
        signed.add(makerDer);
        signed.add(algorithm);
        org.ofdrw.gm.ses.v1.SESeal seal = new org.ofdrw.gm.ses.v1.SESeal(info,
                new org.ofdrw.gm.ses.v1.SES_SignInfo(makerDer, algorithm,
                        new DERBitString(sign(makerPair, new DERSequence(signed).getEncoded("DER")))));
        org.ofdrw.gm.ses.v1.TBS_Sign toSign = new org.ofdrw.gm.ses.v1.TBS_Sign(new ASN1Integer(1), seal,
                new DERBitString("20260705010203Z".getBytes(StandardCharsets.US_ASCII)), new DERBitString(hash),
                new DERIA5String("/Doc_0/Signs/Sign_0/Signature.xml"), new DEROctetString(holder), algorithm);
        org.ofdrw.gm.ses.v1.SES_Signature signature = new org.ofdrw.gm.ses.v1.SES_Signature(toSign,
                new DERBitString(sign(holderPair, toSign.getEncoded("DER"))));
        Files.write(directory.resolve("seal-v1.esl"), seal.getEncoded("DER"));
        Files.write(directory.resolve("signature-v1.dat"), signature.getEncoded("DER"));
    }

    private static SES_ESPictrueInfo picture() {
        return new SES_ESPictrueInfo().setType("PNG").setData("not looked at".getBytes(StandardCharsets.US_ASCII))
                .setWidth(42).setHeight(42);
    }
}
