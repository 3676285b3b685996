# docteur in a container:
#   docker build -t docteur .
#   docker run --rm -u "$(id -u):$(id -g)" -v "$PWD:/work" docteur make . disk.img
# It has the package and the image's Node: the one file of "npm run binary" would be a second copy of Node.
FROM node:20-slim AS build
WORKDIR /opt/docteur
COPY . .
RUN npm ci && npm run build && npm prune --omit=dev

FROM node:20-slim
# make fetches repositories with git, over https and ssh.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates git openssh-client && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/docteur
COPY --from=build /opt/docteur/package.json ./
COPY --from=build /opt/docteur/node_modules ./node_modules
COPY --from=build /opt/docteur/dist ./dist
RUN ln -s /opt/docteur/dist/tools/docteur.js /usr/local/bin/docteur && ln -s /opt/docteur/dist/tools/solo5-wasm.js /usr/local/bin/solo5-wasm
USER node
WORKDIR /work
ENTRYPOINT ["docteur"]
CMD ["--help"]
