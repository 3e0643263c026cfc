#include "tasks/labelled_set.h"

#include "alexnet/error.h"
#include "tests/support.h"

namespace alexnet {
namespace {

namespace fs = std::filesystem;

const std::vector<Label> kLabels{
    {"n01", "tabby, tabby cat"}, {"n02", "crane"}, {"n03", "crane"}, {"n04", "obelisk"}, {"n05", "cat, puss"}};
const ClassNames kNames(kLabels, 5);

using Pairs = std::vector<std::pair<std::string, std::int64_t>>;

Pairs pictures_of(const LabelledSet& set, const fs::path& folder) {
  const NextPicture source = set.pictures(nullptr);
  Pairs pairs;
  for (PictureInput input; source(input, /*wait=*/true) == PictureSource::Next::picture;) {
    EXPECT_FALSE(input.problem) << input.problem->what();
    pairs.emplace_back(input.path.starts_with(folder.string()) ? fs::relative(input.path, folder).string() : input.path,
                       *input.target);
  }
  return pairs;
}

std::string refusal(const std::string& name) {
  try {
    const LabelledSet set(name, kNames);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::model);
    return error.what();
  }
  return "accepted";
}

TEST(ClassNames, FindsByIdThenLabelThenNameThenIndex) {
  struct Case {
    std::string text;
    std::optional<std::int64_t> index;
  };
  for (const auto& [text, index] :
       {Case{"n03", 2}, Case{"tabby, tabby cat", 0}, Case{"tabby cat", 0}, Case{"puss", 4}, Case{"3", 3}, Case{"crane", {}},
        Case{"5", {}}, Case{"-1", {}}, Case{"Obelisk", {}}, Case{"", {}}}) {
    EXPECT_EQ(kNames.find(text), index) << text;
  }
  const ClassNames without_labels({}, 5);
  EXPECT_EQ(without_labels.find("4"), 4);
  EXPECT_EQ(without_labels.find("tabby"), std::nullopt);
}

TEST(LabelledSet, OfAFolderHasAFolderForEachClass) {
  const test::TemporaryFolder folder;
  for (const std::string name : {"set/n04/images", "set/tabby cat", "set/2", "set/.git", "elsewhere"})
    fs::create_directories(folder.path() / name);
  for (const std::string name : {"set/n04/b.JPEG", "set/n04/images/a.png", "set/n04/notes.txt", "set/tabby cat/x.jpg",
                                 "set/2/y.ppm", "set/readme.png", "elsewhere/z.gif"}) {
    folder.write(name, "");
  }
  fs::create_directory_symlink("../elsewhere", folder.path() / "set/n02");
  const LabelledSet set((folder.path() / "set").string(), kNames);
  const Pairs expected{
      {"set/2/y.ppm", 2}, {"elsewhere/z.gif", 1}, {"set/n04/b.JPEG", 3}, {"set/n04/images/a.png", 3}, {"set/tabby cat/x.jpg", 0}};
  EXPECT_EQ(pictures_of(set, fs::canonical(folder.path())), pictures_of(set, fs::canonical(folder.path())))
      << "the same every time";
  Pairs found = pictures_of(set, folder.path());
  for (auto& [path, target] : found) {
    if (path == "set/n02/z.gif") path = "elsewhere/z.gif";
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(set.count(), 5u);
}

TEST(LabelledSet, OfAListHasARowForEachPicture) {
  struct Case {
    std::string what;
    std::string text;
    Pairs pictures;
  };
  const Pairs two{{"a.jpg", 0}, {"b, c.jpg", 3}};
  for (const auto& [what, text, pictures] : {
           Case{"ids and indices", "a.jpg,n01\n\"b, c.jpg\",3\n", two},
           Case{"labels", "a.jpg,\"tabby, tabby cat\"\n\"b, c.jpg\",obelisk\n", two},
           Case{"a head", "path,label\na.jpg,n01\n\"b, c.jpg\",n04\n", two},
           Case{"other columns in another order", "label,width,path\nn01,5,a.jpg\nn04,6,\"b, c.jpg\"\n", two},
           Case{"CRLF and a byte order mark", "\xef\xbb\xbfpath,label\r\na.jpg,n01\r\n\"b, c.jpg\",n04\r\n", two},
           Case{"a picture twice", "a.jpg,0\na.jpg,0\n", {{"a.jpg", 0}, {"a.jpg", 0}}},
       }) {
    const test::TemporaryFolder folder;
    const LabelledSet set(folder.write("list.csv", text).string(), kNames);
    EXPECT_EQ(pictures_of(set, folder.path()), pictures) << what;
    EXPECT_EQ(pictures_of(set, folder.path()), pictures) << what << ", a second time";
    EXPECT_EQ(set.count(), pictures.size()) << what;
  }
}

TEST(LabelledSet, RefusesListsNamingTheLine) {
  struct Case {
    std::string text;
    std::string error;
  };
  for (const auto& [text, error] : {
           Case{"path,label\n", "has no rows of path,label"},
           Case{"a.jpg\n", "line 1 has 1 fields, not 2 (path,label; a first line with these words may name more)"},
           Case{"a.jpg,0\nb.jpg,1,extra\n", "line 2 has 3 fields, not 2 (path,label; a first line with these words may name more)"},
           Case{"path,label,size\nb.jpg,1\n", "line 2 has 2 fields, not 3 (as many as its first line)"},
           Case{"a.jpg,0\n,1\n", "line 2 has no path"},
           Case{"a.jpg,0\n\"b.jpg,1\n", "line 2 has a quote that is not closed (fields are as RFC 4180 says)"},
           Case{"a.jpg,taby\nb.jpg,n01\nc.jpg,crane\nd.jpg,999999999\ne.jpg,taby\n",
                "3 labels that name none of the network's 5 classes: '999999999'; 'crane', which several classes are called; "
                "'taby', is "
                "it 'tabby'? (a class is named by its id, its label or its index; alexnet inspect --json lists them)"},
       }) {
    const test::TemporaryFolder folder;
    const std::string list = folder.write("list.csv", text).string();
    EXPECT_EQ(refusal(list), list + ": " + error);
  }
}

TEST(LabelledSet, RefusesFoldersThatNameNoClass) {
  const test::TemporaryFolder folder;
  const std::string where = folder.path().string();
  EXPECT_EQ(refusal(where), where +
                                ": has no folders of pictures (each class has one, named by its id, label or index; or give a CSV "
                                "file of path,label)");
  for (int i = 0; i < 12; ++i) fs::create_directory(folder.path() / fmt::format("stranger{:02}", i));
  const std::string error = refusal(where);
  EXPECT_THAT(error, testing::StartsWith(where + ": 12 folders that name none of the network's 5 classes: 'stranger00'; "));
  EXPECT_THAT(error, testing::HasSubstr("'stranger07'; and 4 more ("));
  EXPECT_THAT(refusal(where + "/absent"), testing::HasSubstr("absent: can't be opened: No such file or directory"));
}

TEST(LabelledSet, ReportsAFolderWithoutPicturesAsAProblem) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder.path() / "n01");
  const LabelledSet set(folder.path().string(), kNames);
  const NextPicture source = set.pictures(nullptr);
  PictureInput input;
  ASSERT_EQ(source(input, true), PictureSource::Next::picture);
  ASSERT_TRUE(input.problem);
  EXPECT_EQ(input.target, 0);
  EXPECT_EQ(source(input, true), PictureSource::Next::end);
}

}  // namespace
}  // namespace alexnet
