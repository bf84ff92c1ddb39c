import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.maven.model.Dependency;
import org.apache.maven.model.Model;
import org.apache.maven.model.Parent;
import org.apache.maven.model.Repository;
import org.apache.maven.model.building.DefaultModelBuilderFactory;
import org.apache.maven.model.building.DefaultModelBuildingRequest;
import org.apache.maven.model.building.FileModelSource;
import org.apache.maven.model.building.ModelBuildingRequest;
import org.apache.maven.model.building.ModelSource;
import org.apache.maven.model.io.xpp3.MavenXpp3Reader;
import org.apache.maven.model.resolution.ModelResolver;
import org.apache.maven.model.resolution.UnresolvableModelException;

/**
 * Prints the dependencies of projects with the versions that Maven's own model builder computes.
 *
 * Arguments: directories that each have a directory `projects` and a directory `repository`, which is
 * laid out as a Maven repository. The project `a` of each is printed. Nothing of a project is run, and
 * no server is asked.
 */
public class EffectiveVersions {
    public static void main(String[] arguments) throws Exception {
        for (String argument : arguments) {
            Path projects = Path.of(argument, "projects");
            DefaultModelBuildingRequest request = new DefaultModelBuildingRequest();
            request.setPomFile(projects.resolve("a/pom.xml").toFile());
            request.setModelResolver(new LocalResolver(projects, Path.of(argument, "repository")));
            request.setProcessPlugins(false);
            request.setValidationLevel(ModelBuildingRequest.VALIDATION_LEVEL_MINIMAL);
            Model model = new DefaultModelBuilderFactory().newInstance().build(request).getEffectiveModel();

            System.out.println("directory " + argument);
            for (Dependency one : model.getDependencies()) {
                print("uses", one);
            }
            if (model.getDependencyManagement() != null) {
                for (Dependency one : model.getDependencyManagement().getDependencies()) {
                    print("manages", one);
                }
            }
        }
    }

    private static void print(String word, Dependency one) {
        System.out.println(word + " " + one.getGroupId() + ":" + one.getArtifactId() + " " + one.getVersion());
    }

    /** Finds models among the projects, then in the repository. */
    private static final class LocalResolver implements ModelResolver {
        private final Path projects;
        private final Path repository;

        LocalResolver(Path projects, Path repository) {
            this.projects = projects;
            this.repository = repository;
        }

        @Override
        public ModelSource resolveModel(String group, String artifact, String version)
                throws UnresolvableModelException {
            for (Path path : ownProjects()) {
                Model model = read(path);
                boolean same = artifact.equals(model.getArtifactId())
                        && group.equals(model.getGroupId())
                        && version.equals(model.getVersion());
                if (same) {
                    return new FileModelSource(path.toFile());
                }
            }

            String name = artifact + "-" + version + ".pom";
            File file = repository.resolve(group.replace('.', '/')).resolve(artifact).resolve(version)
                    .resolve(name).toFile();
            if (!file.isFile()) {
                throw new UnresolvableModelException("not found", group, artifact, version);
            }
            return new FileModelSource(file);
        }

        private List<Path> ownProjects() {
            try (Stream<Path> all = Files.walk(projects)) {
                return all.filter(path -> path.endsWith("pom.xml")).collect(Collectors.toList());
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }

        private static Model read(Path path) {
            try (FileInputStream stream = new FileInputStream(path.toFile())) {
                return new MavenXpp3Reader().read(stream);
            } catch (Exception error) {
                throw new IllegalStateException(error);
            }
        }

        @Override
        public ModelSource resolveModel(Parent parent) throws UnresolvableModelException {
            return resolveModel(parent.getGroupId(), parent.getArtifactId(), parent.getVersion());
        }

        @Override
        public ModelSource resolveModel(Dependency one) throws UnresolvableModelException {
            return resolveModel(one.getGroupId(), one.getArtifactId(), one.getVersion());
        }

        @Override
        public void addRepository(Repository repository) {}

        @Override
        public void addRepository(Repository repository, boolean replace) {}

        @Override
        public ModelResolver newCopy() {
            return this;
        }
    }
}
