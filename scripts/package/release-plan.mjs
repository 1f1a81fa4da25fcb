import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fill } from './packaging.mjs';
import { entriesOf, layout } from './payload.mjs';

export const packageId = 'com.launchwarden.agent.pkg';
export const packagePlace = '/Library/Application Support/launchwarden/package';

const hostArchitectures = { arm64: 'arm64', x64: 'x86_64' };

/**
 * How a payload becomes a signed, notarised package: steps in order, each with an `id`, what it `does`, and one of
 * `run` (a command with its arguments), `write` ({ file, text, mode }) and `copy` ({ from, to }). Nothing is done here.
 *
 * `payload`: { folder, version, arch }. `identity`, `installerIdentity`: names of certificates. `keychainProfile`: what
 * `notarytool store-credentials` was given. `provisioningProfile`: allows the EndpointSecurity entitlement; without it the
 * app is signed without that entitlement, since macOS would kill it.
 */
export function releasePlan(root, options) {
  const { payload, out } = options;
  const name = `launchwarden-${payload.version}-darwin-${payload.arch}`;
  const work = path.join(out, `${name}.work`);
  const product = path.join(out, `${name}.pkg`);
  return [
    ...signingSteps(root, options),
    {
      id: 'manifest',
      does: 'write the manifest again: signing changed the files',
      run: [process.execPath, path.join(root, 'scripts', 'package.mjs'), '--manifest', payload.folder],
    },
    ...packageSteps(root, options, { work, product }),
    ...notarySteps(options, product),
  ];
}

/** From the inside out; entitlements only on the main executable, which is signed with its bundle. */
function signingSteps(root, { payload, identity, provisioningProfile }) {
  const bundle = path.join(payload.folder, layout.bundle);
  const sign = (...args) => [
    'codesign',
    ...['--force', '--timestamp', '--options', 'runtime', '--sign', identity],
    ...args,
  ];
  const natives = entriesOf(payload.folder)
    .filter(({ name, isFile }) => isFile && name.endsWith('.node'))
    .map(({ name }) => path.join(payload.folder, name));
  const entitlements = path.join(
    root,
    'launchd',
    provisioningProfile === undefined ? 'entitlements-without-endpoint-security.plist' : 'entitlements.plist',
  );
  return [
    ...natives.map((file) => ({
      id: 'sign-native',
      does: `sign ${path.basename(file)}`,
      run: sign(file),
    })),
    ...(provisioningProfile === undefined
      ? []
      : [
          {
            id: 'embed-profile',
            does: 'embed the provisioning profile, which allows EndpointSecurity',
            copy: {
              from: provisioningProfile,
              to: path.join(bundle, 'Contents', 'embedded.provisionprofile'),
            },
          },
        ]),
    {
      id: 'sign-app',
      does: 'sign the bundle with its main executable',
      run: sign('--entitlements', entitlements, bundle),
    },
    {
      id: 'verify-app',
      does: 'verify the signatures of all of it',
      run: ['codesign', '--verify', '--strict', '--deep', '--verbose=2', bundle],
    },
  ];
}

function packageSteps(root, { payload, installerIdentity }, { work, product }) {
  const from = (name) => readFileSync(path.join(root, 'packaging', 'pkg', name), 'utf8');
  const scripts = path.join(work, 'scripts');
  const component = path.join(work, 'component.pkg');
  const distribution = path.join(work, 'distribution.xml');
  return [
    ...['preinstall', 'postinstall'].map((name) => ({
      id: name,
      does: `write the package's ${name}`,
      write: { file: path.join(scripts, name), text: from(name), mode: 0o755 },
    })),
    {
      id: 'distribution',
      does: 'write the distribution file',
      write: {
        file: distribution,
        text: fill(from('distribution.xml.in'), {
          VERSION: payload.version,
          HOST_ARCHITECTURE: hostArchitectures[payload.arch],
          COMPONENT: path.basename(component),
        }),
        mode: 0o644,
      },
    },
    {
      id: 'pkgbuild',
      does: 'build the component package',
      run: [
        'pkgbuild',
        ...['--root', payload.folder, '--install-location', packagePlace],
        ...['--identifier', packageId, '--version', payload.version],
        ...['--component-plist', path.join(root, 'packaging', 'pkg', 'components.plist')],
        ...['--scripts', scripts, '--ownership', 'recommended', component],
      ],
    },
    {
      id: 'productbuild',
      does: 'build the package with its distribution file, signed',
      run: [
        'productbuild',
        ...['--distribution', distribution, '--package-path', work],
        ...['--sign', installerIdentity, '--timestamp', product],
      ],
    },
  ];
}

function notarySteps({ keychainProfile }, product) {
  return [
    {
      id: 'notarise',
      does: 'have Apple notarise the package, and wait',
      run: ['xcrun', 'notarytool', 'submit', product, '--keychain-profile', keychainProfile, '--wait'],
    },
    // Fails for a package that was refused, whatever notarytool's exit code was.
    { id: 'staple', does: 'staple the ticket', run: ['xcrun', 'stapler', 'staple', product] },
    {
      id: 'assess',
      does: 'ask Gatekeeper',
      run: ['spctl', '--assess', '--verbose=2', '--type', 'install', product],
    },
  ];
}
