// EU DSS as a peer of the validation benchmark: full validation under its default policy, nothing fetched.
//
// Arguments: directory seconds. The directory holds trust.pem and PDFs, which take turns. Prints one JSON object with CPU
// and wall milliseconds for one file, after a warm-up of the same length, and how many of the files passed.

import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.simplereport.SimpleReport;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.List;
import java.util.stream.Collectors;

public class ValidateWithDss {
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        double seconds = Double.parseDouble(args[1]);
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        try (var stream = Files.newInputStream(directory.resolve("trust.pem"))) {
            for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(stream)) {
                anchors.addCertificate(DSSUtils.loadCertificate(one.getEncoded()));
            }
        }
        List<byte[]> files;
        try (var names = Files.list(directory)) {
            files = names.filter(n -> n.toString().endsWith(".pdf")).sorted().map(ValidateWithDss::read)
                    .collect(Collectors.toList());
        }
        int passed = 0;
        for (byte[] file : files) {
            passed += validate(file, anchors) ? 1 : 0;
        }
        measure(files, anchors, seconds);
        double[] taken = measure(files, anchors, seconds);
        System.out.println(
                String.format("{\"cpu_ms\": %.4f, \"wall_ms\": %.4f, \"passed\": %d}", taken[0], taken[1], passed));
    }

    private static byte[] read(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (java.io.IOException problem) {
            throw new java.io.UncheckedIOException(problem);
        }
    }

    private static double[] measure(List<byte[]> files, CommonTrustedCertificateSource anchors, double seconds) {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long cpu = threads.getCurrentThreadCpuTime();
        long wall = System.nanoTime();
        int done = 0;
        while (done == 0 || threads.getCurrentThreadCpuTime() - cpu < seconds * 1e9) {
            validate(files.get(done % files.size()), anchors);
            done++;
        }
        return new double[] {
            (threads.getCurrentThreadCpuTime() - cpu) / 1e6 / done, (System.nanoTime() - wall) / 1e6 / done
        };
    }

    private static boolean validate(byte[] file, CommonTrustedCertificateSource anchors) {
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(anchors);
        verifier.setAIASource(null);
        verifier.setCrlSource(null);
        verifier.setOcspSource(null);
        DSSDocument document = new InMemoryDocument(file);
        SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(document);
        validator.setCertificateVerifier(verifier);
        SimpleReport report = validator.validateDocument().getSimpleReport();
        return report.getIndication(report.getFirstSignatureId()) == Indication.TOTAL_PASSED;
    }
}
