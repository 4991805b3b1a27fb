import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Validates files with EU DSS under its default policy, without any source of certificates, CRLs or OCSP
 * answers but the files themselves and the trust anchors given.
 *
 * <p>Usage: {@code ValidateOffline TRUST.pem TIME|- FILE…}; TIME is an instant as 2030-01-01T00:00:00Z.
 * Prints one JSON object a file and line: file, and for each signature its indication, sub-indication, level
 * and what DSS says about it.
 */
public final class ValidateOffline {
    private ValidateOffline() {
    }

    public static void main(String[] arguments) throws Exception {
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        try (var stream = Files.newInputStream(Path.of(arguments[0]))) {
            for (Certificate anchor : CertificateFactory.getInstance("X.509").generateCertificates(stream)) {
                anchors.addCertificate(DSSUtils.loadCertificate(anchor.getEncoded()));
            }
        }
        Date at = "-".equals(arguments[1]) ? null : Date.from(Instant.parse(arguments[1]));
        for (int index = 2; index < arguments.length; index++) {
            System.out.println(judge(anchors, at, new File(arguments[index])));
        }
    }

    private static String judge(CommonTrustedCertificateSource anchors, Date at, File file) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(anchors);
        verifier.setAIASource(null);
        verifier.setCrlSource(null);
        verifier.setOcspSource(null);
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(file));
        validator.setCertificateVerifier(verifier);
        if (at != null) {
            validator.setValidationTime(at);
        }
        Reports reports = validator.validateDocument();
        SimpleReport report = reports.getSimpleReport();
        List<String> signatures = new ArrayList<>();
        for (String id : report.getSignatureIdList()) {
            Indication indication = report.getIndication(id);
            List<String> said = new ArrayList<>();
            report.getAdESValidationErrors(id).forEach(m -> said.add("error: " + m.getValue()));
            report.getAdESValidationWarnings(id).forEach(m -> said.add("warning: " + m.getValue()));
            Date best = report.getBestSignatureTime(id);
            signatures.add("{\"indication\":" + quoted(indication) + ",\"sub_indication\":"
                    + quoted(report.getSubIndication(id)) + ",\"level\":"
                    + quoted(report.getSignatureFormat(id)) + ",\"proved_at\":"
                    + quoted(best == null ? null : best.toInstant()) + ",\"said\":["
                    + said.stream().map(ValidateOffline::quoted).collect(Collectors.joining(",")) + "]}");
        }
        return "{\"file\":" + quoted(file.getName()) + ",\"signatures\":["
                + String.join(",", signatures) + "]}";
    }

    private static String quoted(Object value) {
        if (value == null) {
            return "null";
        }
        StringBuilder out = new StringBuilder("\"");
        for (char letter : value.toString().toCharArray()) {
            if (letter == '"' || letter == '\\') {
                out.append('\\').append(letter);
            } else if (letter < ' ') {
                out.append(' ');
            } else {
                out.append(letter);
            }
        }
        return out.append('"').toString();
    }
}
