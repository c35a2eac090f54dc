#!/usr/bin/env bash
# Java I2P's core 2.7.0 (Maven Central): a "b33" address (encrypted lease set) does not stand for one destination.
#
# Guess: as with the 52 letters of .b32.i2p, the 56 letters of a b33 address belong to one destination, and one
# destination has one of them; every kind of key can have one.
# Seen: it holds the signing key and three bytes about it. Two destinations that share a signing key and differ in the
# rest have different b32 addresses and the same b33. One destination has four b33 addresses, by whether a secret and a
# client key are needed: they differ in the second letter alone. Only Ed25519 and RedDSA keys have any; ECDSA throws.
# Capitals are read, and one wrong letter is found, since the three bytes carry a checksum.
# So: never take two b33 addresses for two sites, or one for one destination; ask the router and compare signing keys.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > pom.xml << 'END'
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId>
  <artifactId>finding</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>net.i2p</groupId>
      <artifactId>i2p</artifactId>
      <version>2.7.0</version>
    </dependency>
  </dependencies>
</project>
END
cat > Address.java << 'END'
import java.io.ByteArrayOutputStream;
import java.util.stream.IntStream;
import net.i2p.I2PAppContext;
import net.i2p.client.I2PClientFactory;
import net.i2p.crypto.Blinding;
import net.i2p.crypto.SigType;
import net.i2p.data.Destination;
import net.i2p.data.KeyCertificate;
import net.i2p.data.PublicKey;
import net.i2p.data.SigningPublicKey;

class Address {
    static Destination make(SigType type) throws Exception {
        return I2PClientFactory.createClient().createDestination(new ByteArrayOutputStream(), type);
    }

    static boolean reads(String address, SigningPublicKey key) {
        try {
            return Blinding.decode(I2PAppContext.getGlobalContext(), address).getUnblindedPubKey().equals(key);
        } catch (IllegalArgumentException refused) {
            return false;
        }
    }

    public static void main(String[] args) throws Exception {
        Destination first = make(SigType.EdDSA_SHA512_Ed25519);
        SigningPublicKey key = first.getSigningPublicKey();
        Destination second = new Destination();
        second.setPublicKey(new PublicKey(new byte[256]));
        second.setSigningPublicKey(key);
        second.setCertificate(new KeyCertificate(key));
        second.setPadding(new byte[96]);
        System.out.println("two destinations: same b32 " + first.toBase32().equals(second.toBase32()) + ", same b33 "
            + Blinding.encode(key).equals(Blinding.encode(second.getSigningPublicKey())));

        String[] four = {
            Blinding.encode(key), Blinding.encode(key, true, false),
            Blinding.encode(key, false, true), Blinding.encode(key, true, true),
        };
        System.out.print("one destination: letters that differ");
        IntStream.range(0, four[0].length())
            .filter(at -> IntStream.of(1, 2, 3).anyMatch(other -> four[other].charAt(at) != four[0].charAt(at)))
            .forEach(index -> System.out.print(" " + index));
        System.out.println(" of " + four[0].length());

        try {
            System.out.println("ECDSA: " + Blinding.encode(make(SigType.ECDSA_SHA256_P256).getSigningPublicKey()));
        } catch (IllegalArgumentException refused) {
            System.out.println("ECDSA: " + refused.getMessage());
        }
        char changed = four[0].charAt(20) == 'a' ? 'b' : 'a';
        System.out.println("read in capitals " + reads(four[0].toUpperCase(), key) + ", with one letter changed "
            + reads(four[0].substring(0, 20) + changed + four[0].substring(21), key));
        System.exit(0);
    }
}
END
mvn --quiet --batch-mode -Dmaven.repo.local="$dir/m2" dependency:copy-dependencies \
  -DoutputDirectory=lib &> maven.log || { cat maven.log; exit 1; }

expected='two destinations: same b32 false, same b33 true
one destination: letters that differ 1 of 64
ECDSA: Unsupported blinding from ECDSA_SHA256_P256
read in capitals true, with one letter changed false'
seen=$(java -cp 'lib/*' Address.java)
echo "$seen"
diff <(echo "$expected") <(echo "$seen") && echo "As found."
