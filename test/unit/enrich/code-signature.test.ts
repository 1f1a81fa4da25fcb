import { expect, test } from 'vitest';
import { codeSignatureOf } from '../../../src/enrich/index.js';

// The layout of codesign(1) on macOS 14; values are made up.
const developer = `Executable=/Applications/Sample.app/Contents/MacOS/Sample
Identifier=org.example.sample
Format=app bundle with Mach-O universal (x86_64 arm64)
CodeDirectory v=20500 size=1234 flags=0x10000(runtime) hashes=28+7 location=embedded
VersionPlatform=1
Hash type=sha256 size=32
CandidateCDHash sha256=0123456789abcdef0123456789abcdef01234567
CDHash=0123456789abcdef0123456789abcdef01234567
Signature size=9051
Authority=Developer ID Application: Example Org (ABCDE12345)
Authority=Developer ID Certification Authority
Authority=Apple Root CA
Timestamp=22. Nov 2026 at 05:40:00
Info.plist entries=24
TeamIdentifier=ABCDE12345
Runtime Version=14.0.0
Sealed Resources version=2 rules=13 files=7
Internal requirements count=1 size=180
`;
const apple = `Executable=/usr/bin/true
Identifier=com.apple.true
Format=Mach-O universal (x86_64 arm64e)
CodeDirectory v=20400 size=400 flags=0x0(none) hashes=8+2 location=embedded
Platform identifier=15
Signature size=4442
Authority=Software Signing
Authority=Apple Code Signing Certification Authority
Authority=Apple Root CA
Info.plist=not bound
TeamIdentifier=not set
Sealed Resources=none
`;
const adHoc = `Executable=/private/tmp/x
Identifier=x-555549
Format=Mach-O thin (arm64)
CodeDirectory v=20400 size=500 flags=0x20002(adhoc,linker-signed) hashes=12+0 location=embedded
Signature=adhoc
Info.plist=not bound
TeamIdentifier=not set
Sealed Resources=none
`;
const valid = { status: 0, output: '' };
const notRequired = {
  status: 3,
  output: 'test-requirement: code failed to satisfy specified code requirement(s)\n',
};

test('a Developer ID, Apple itself', () => {
  expect(codeSignatureOf(developer, valid)).toEqual({
    exists: true,
    trusted: true,
    status: 'trusted',
    signing_id: 'org.example.sample',
    team_id: 'ABCDE12345',
    subject_name: 'Developer ID Application: Example Org (ABCDE12345)',
  });
  expect(codeSignatureOf(apple.replaceAll('\n', '\r\n'), valid)).toEqual({
    exists: true,
    trusted: true,
    status: 'trusted',
    signing_id: 'com.apple.true',
    subject_name: 'Software Signing',
  });
});

test.each([valid, notRequired])('an ad hoc signature is never trusted (%o)', (verification) => {
  expect(codeSignatureOf(adHoc, verification)).toEqual({
    exists: true,
    trusted: false,
    status: 'ad hoc',
    signing_id: 'x-555549',
  });
});

test('a chain that only calls itself Apple’s is not trusted: the verification decides, not the names', () => {
  expect(codeSignatureOf(developer, notRequired)).toMatchObject({
    exists: true,
    trusted: false,
    status: 'the signer is not known to Apple',
    team_id: 'ABCDE12345',
  });
});

test('a program that was changed after it was signed: codesign’s words, without the path', () => {
  const output =
    '/Applications/A: B.app: a sealed resource is missing or invalid\nfile modified: /Applications/A: B.app/x\n';
  expect(codeSignatureOf(developer, { status: 1, output })).toMatchObject({
    exists: true,
    trusted: false,
    status: 'a sealed resource is missing or invalid',
  });
});

test('no signature at all; the same words in the path of one that is signed mean nothing', () => {
  const words = 'code object is not signed at all';
  expect(codeSignatureOf(`/private/tmp/x: ${words}\n`)).toEqual({ exists: false, status: words });
  const path = `/private/tmp/x: ${words}`;
  expect(codeSignatureOf(adHoc.replace('/private/tmp/x', path), notRequired)).toMatchObject({
    exists: true,
    trusted: false,
  });
});

test.each([undefined, { status: null, output: '' }, { status: 2, output: 'Usage: codesign' }])(
  'without a verdict trust is left open (%o)',
  (verification) => {
    const read = codeSignatureOf(developer, verification);
    expect(read).toMatchObject({ exists: true, status: 'could not be verified', team_id: 'ABCDE12345' });
    expect(read).not.toHaveProperty('trusted');
  },
);

test('an identifier with line breaks forges neither team nor certificate', () => {
  const forged = (lines: string) => adHoc.replace('x-555549', `x\n${lines}`);
  expect(codeSignatureOf(forged('TeamIdentifier=ABCDE12345'), valid)).toEqual({
    exists: true,
    trusted: false,
    status: 'its description contradicts itself',
  });
  expect(codeSignatureOf(forged('Signature size=9\nAuthority=Software Signing'), valid)).not.toHaveProperty(
    'subject_name',
  );
  expect(codeSignatureOf(forged('Authority=Software Signing'), valid)).toEqual({
    exists: true,
    trusted: false,
    status: 'ad hoc',
    signing_id: 'x',
  });
});

test.each([
  ['', 'codesign said nothing'],
  ['\n\n', 'codesign said nothing'],
  ['/x: No such file or directory\n', 'No such file or directory'],
  ['\0\u001b[2J Identifier=x', '\0\u001b[2J Identifier=x'],
])('text of no known form (%j) gives a status alone', (output, status) => {
  expect(codeSignatureOf(output, valid)).toEqual({ status });
});

test('every text is bounded', () => {
  const long = 'x'.repeat(1_000_000);
  for (const output of [
    `/x: ${long}`,
    `Identifier=${long}`,
    `Identifier=x\nSignature size=1\nAuthority=${'y'.repeat(5_000)}\nTeamIdentifier=${'z'.repeat(5_000)}`,
  ]) {
    for (const text of Object.values(codeSignatureOf(output, { status: 1, output })))
      expect(String(text).length).toBeLessThanOrEqual(256);
  }
});
