// EU DSS as a peer of the sealing benchmark: PAdES B-B with a P-256 key in memory, with and without a visible seal.
//
// Arguments: page.pdf key.p12 password picture.png page left top width height seconds. Prints one JSON object with CPU
// and wall milliseconds for one seal, after a warm-up of the same length. Coordinates are points from the upper left corner.

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.InMemoryDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.SignatureFieldParameters;
import eu.europa.esig.dss.pades.SignatureImageParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore.PasswordProtection;
import java.util.Date;

public class SealWithDss {
    public static void main(String[] args) throws Exception {
        byte[] page = Files.readAllBytes(Path.of(args[0]));
        DSSDocument picture = new FileDocument(args[3]);
        double seconds = Double.parseDouble(args[9]);
        try (Pkcs12SignatureToken token =
                new Pkcs12SignatureToken(args[1], new PasswordProtection(args[2].toCharArray()))) {
            DSSPrivateKeyEntry key = token.getKeys().get(0);
            PAdESService service = new PAdESService(new CommonCertificateVerifier());
            StringBuilder answer = new StringBuilder("{");
            for (boolean visible : new boolean[] {true, false}) {
                measure(service, token, key, page, visible ? picture : null, args, seconds);
                double[] taken = measure(service, token, key, page, visible ? picture : null, args, seconds);
                answer.append(visible ? "" : ", ")
                        .append(visible ? "\"visible\"" : "\"invisible\"")
                        .append(String.format(": {\"cpu_ms\": %.4f, \"wall_ms\": %.4f}", taken[0], taken[1]));
            }
            System.out.println(answer.append("}"));
        }
    }

    private static double[] measure(PAdESService service, Pkcs12SignatureToken token, DSSPrivateKeyEntry key,
            byte[] page, DSSDocument picture, String[] args, double seconds) throws Exception {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long cpu = threads.getCurrentThreadCpuTime();
        long wall = System.nanoTime();
        int done = 0;
        while (done == 0 || threads.getCurrentThreadCpuTime() - cpu < seconds * 1e9) {
            seal(service, token, key, page, picture, args);
            done++;
        }
        return new double[] {
            (threads.getCurrentThreadCpuTime() - cpu) / 1e6 / done, (System.nanoTime() - wall) / 1e6 / done
        };
    }

    private static void seal(PAdESService service, Pkcs12SignatureToken token, DSSPrivateKeyEntry key, byte[] page,
            DSSDocument picture, String[] args) throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        parameters.setSignatureLevel(SignatureLevel.PAdES_BASELINE_B);
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(key.getCertificate());
        parameters.setCertificateChain(key.getCertificateChain());
        parameters.bLevel().setSigningDate(new Date());
        if (picture != null) {
            SignatureImageParameters image = new SignatureImageParameters();
            image.setImage(picture);
            SignatureFieldParameters field = new SignatureFieldParameters();
            field.setPage(Integer.parseInt(args[4]));
            field.setOriginX(Float.parseFloat(args[5]));
            field.setOriginY(Float.parseFloat(args[6]));
            field.setWidth(Float.parseFloat(args[7]));
            field.setHeight(Float.parseFloat(args[8]));
            image.setFieldParameters(field);
            parameters.setImageParameters(image);
        }
        DSSDocument document = new InMemoryDocument(page);
        ToBeSigned data = service.getDataToSign(document, parameters);
        SignatureValue value = token.sign(data, parameters.getDigestAlgorithm(), key);
        service.signDocument(document, parameters, value);
    }
}
